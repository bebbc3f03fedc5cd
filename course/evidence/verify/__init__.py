"""The command `verify`: retrain some of the networks that somebody has kept, and compare.

claimed   what receipts and tables say of networks; what in them was edited
sample    which networks to retrain, and retraining them
judge     the noise of a seed, and what a comparison comes to
command   what people type and see
"""
