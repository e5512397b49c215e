"""The gateway: HTTP in front of the job store.

Checks requests against the model cards that workers publish, queues jobs, serves results and pictures. Stateless, and
never imports torch.
"""
