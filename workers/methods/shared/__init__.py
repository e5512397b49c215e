"""Methods of the shared lane: Captum through the seams, with rows in passes of many jobs."""
