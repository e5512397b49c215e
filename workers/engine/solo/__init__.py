"""The solo lane: a method that hooks the model runs while nothing else uses it."""
