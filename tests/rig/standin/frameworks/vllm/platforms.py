from torch import cuda


class current_platform:
    @staticmethod
    def is_cuda() -> bool:
        return cuda.is_available()
