"""Each thread keeps its own number of CPU threads."""

import threading

import torch

from workers.engine.device.threads import use_threads


def test_a_thread_keeps_its_number_whatever_others_set() -> None:
    found: dict[int, int] = {}
    both_have_set = threading.Barrier(2)

    def compute(count: int) -> None:
        use_threads(count)
        both_have_set.wait(30)
        torch.zeros(10).sum()
        found[count] = torch.get_num_threads()

    threads = [threading.Thread(target=compute, args=(count,)) for count in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == {1: 1, 2: 2}
