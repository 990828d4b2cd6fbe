"""The names and sizes that Transform, training, evaluation and serving agree on."""

# Columns of the examples, as the CSV names them.
TEXT = "text"
LABEL = "label"
SOURCE = "source"

# What Transform makes of the text.
TOKENS = "tokens"
NORMALIZED = "normalized"
# What the network reads beside the tokens: buckets of n-grams, made of the normalised text.
WORD_GRAMS = "word_grams"
CHARACTER_GRAMS = "character_grams"
GRAMS = (WORD_GRAMS, CHARACTER_GRAMS)

# Words that the encoder reads; what follows is left to the n-grams alone.
MAX_TOKENS = 64
VOCABULARY_SIZE = 20_000
VOCABULARY_NAME = "words"
# Ids of tokens: 0 is padding, 1 a word outside the vocabulary, then the words by frequency.
UNKNOWN_ID = 1
FIRST_WORD_ID = 2
GRAM_BUCKET_BITS = 18
GRAM_BUCKETS = 1 << GRAM_BUCKET_BITS
# The bucket of what is no n-gram; it weighs nothing.
NO_GRAM = 0
