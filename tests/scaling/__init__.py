"""Workers from none to many and back, by what KEDA and the Horizontal Pod Autoscaler would do. `make scaling`."""
