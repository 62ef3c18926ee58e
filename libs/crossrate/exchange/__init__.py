"""An exchange as a value: order books that match, and a venue with liquidity, latency, last look and hours around one."""
