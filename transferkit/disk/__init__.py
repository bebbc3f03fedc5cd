"""What lies on the disk, and the only code that knows where.

atomic       files and folders that are there as a whole or not at all, and locks for one process at a time
prepared     the work folder, and the prepared data sets in it
store        receipts and weights of networks
checkpoints  a network half-way through its training
"""
