"""The gateway: HTTP in front of the job store.

Checks requests against the model cards that workers publish, queues jobs, and serves results and pictures. Stateless;
never imports torch.
"""
