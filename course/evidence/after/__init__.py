"""What was found after 2014, tried on these networks: ways to train copied layers that the paper does not have."""
