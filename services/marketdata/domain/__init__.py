"""What market data means, without a wire, a clock or a disk: history, calibration, simulation, liquidity."""
