"""The names and sizes that Transform, training, evaluation and serving agree on."""

# Columns of the examples, as the CSV names them.
TEXT = "text"
LABEL = "label"
SOURCE = "source"

# Features that Transform makes of the text.
TOKENS = "tokens"
GRAMS = "grams"

# Words that the attention reads; what follows is left to the n-grams alone.
MAX_TOKENS = 64
VOCABULARY_SIZE = 20_000
VOCABULARY_NAME = "words"
# Buckets that word and character n-grams are hashed into.
GRAM_BUCKETS = 1 << 18
