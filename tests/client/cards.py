"""Cards of models, one for each kind of input."""

from attribution_client.wire.answers import FeatureCard, InputCard, ModelCard

IMAGE = ModelCard("net", "1", "ready", input=InputCard("image", [[3, 8, 8]]))
TEXT = ModelCard("words", "1", "ready", input=InputCard("text", [[16]]))
COLUMNS = [FeatureCard("age", 40.0, 10.0), FeatureCard("income", 20.0, 5.0)]
TABLE = ModelCard("table", "1", "ready", input=InputCard("tabular", [[2]], features=COLUMNS))
TENSOR = ModelCard("raw", "1", "ready", input=InputCard("tensor", [[4, 4]]))
TWO = ModelCard("two", "1", "ready", input=InputCard("tensor", [[4], [5]]))
