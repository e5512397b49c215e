"""Each method as a Captum call: in the shared lane through the seams, or in the solo lane on the model itself."""
