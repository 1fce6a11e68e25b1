"""What is measured: name, unit, which way is better, and in one line what it means. The one table of it."""

from __future__ import annotations

from typing import NamedTuple

from localsum.bench.report import Better


class Metric(NamedTuple):
    unit: str
    better: Better
    help: str


METRICS: dict[str, Metric] = {
    "brief_s": Metric("s", "lower", "from the article's bytes to its brief; in a stream from when its turn comes"),
    "articles_per_min": Metric("1/min", "higher", "articles of a stream, through one engine run"),
    "first_token_s": Metric("s", "lower", "from the article's bytes to the first text of the model"),
    "first_field_s": Metric("s", "lower", "from the article's bytes to the first field that the model has finished"),
    "load_s": Metric("s", "lower", "loading the model and its token table; the file is in the system's cache"),
    "tokenize_tokens_s": Metric("tokens/s", "higher", "text to tokens"),
    "prefill_tokens_s": Metric("tokens/s", "higher", "reading a prompt, no more than one row of logits"),
    "decode_tokens_s": Metric("tokens/s", "higher", "writing behind 512 tokens, all branches together, no grammar"),
    "written_tokens_s": Metric("tokens/s", "higher", "written tokens over the whole time, reading included"),
    "roofline_share": Metric("share", "higher", "(prompt + written tokens) / prefill of 512 tokens / whole time"),
    "outside_share": Metric("share", "lower", "of the whole time, what is not spent in llama_decode"),
    "stage_s": Metric("s", "lower", "where the time goes"),
    "stages_share": Metric("share", "neither", "the sum of the stages over the whole time, measured apart"),
    "sampled_share": Metric("share", "neither", "of the written tokens, those that were picked from logits"),
    "forced_share": Metric("share", "neither", "of the written tokens, those that the grammar forced"),
    "reused_share": Metric("share", "neither", "of the prompt's tokens, those that were in the cache already"),
    "drafted_share": Metric("share", "neither", "of the written tokens, those that were drafted"),
    "accepted_share": Metric("share", "neither", "of the drafted tokens, those that were right"),
    "mask_us": Metric("µs", "lower", "one mask of the grammar over the whole vocabulary"),
    "grammar_us": Metric("µs", "lower", "all work of the grammar, for each written token"),
    "peak_rss_mb": Metric("MB", "lower", "most memory of the process, model file included"),
    "steady_rss_mb": Metric("MB", "lower", "memory of the process between briefs, model file included"),
    "energy_j": Metric("J", "lower", "energy of the processor, all programs, for one brief"),
}
