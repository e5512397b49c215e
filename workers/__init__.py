"""The workers: models resident on a device, passes packed across jobs, Captum doing the mathematics."""
