"""The writers: a document and a template in, requests for the engine and finished fields out."""
