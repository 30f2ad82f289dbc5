class EcsEmitter:
    def __init__(self,o,n): pass
