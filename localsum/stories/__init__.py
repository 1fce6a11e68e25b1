"""From briefs of single documents to a digest: copies folded, the same story grouped, stories ranked and told.

Pure functions of documents and briefs, the same for every order of the inputs. They know no model, no files, no looks.
"""

from localsum.stories.edition import edition
from localsum.stories.overview import extracted, stories_as_document, written
from localsum.stories.parts import Part, parts_of
from localsum.stories.telling import Telling, Told, stories_of

__all__ = [
    "Part",
    "Telling",
    "Told",
    "edition",
    "extracted",
    "parts_of",
    "stories_as_document",
    "stories_of",
    "written",
]
