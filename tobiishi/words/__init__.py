"""What is told to people, apart from the words it is told in. Pure.

Whoever has something to tell makes a `Sentence`: a code that never changes and its parameters.
`in_words` fills the template of that code, of which each language has one.
"""

from tobiishi.words.catalogue import TEMPLATES, Sentence, in_words
from tobiishi.words.template import Template

__all__ = ["TEMPLATES", "Sentence", "Template", "in_words"]
