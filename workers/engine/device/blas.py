"""Threads of the libraries beside torch that compute on the CPU: numpy's and scipy's BLAS, scikit-learn's OpenMP."""

from threadpoolctl import ThreadpoolController

PASSES = "torch"  # whose libraries the engines' passes use


def use_one_thread_beside_torch() -> None:
    """Leaves one thread to each call of these libraries: of BLAS in the whole process, of OpenMP in the calling thread.

    Jobs run in many threads, each of which would otherwise start as many more as there are cores.
    """
    for library in ThreadpoolController().lib_controllers:
        if PASSES not in str(library.filepath).split("/"):
            library.set_num_threads(1)
