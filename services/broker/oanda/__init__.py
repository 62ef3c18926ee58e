"""Programs that trade over the OANDA v20 REST API: their requests go to trading, trading's reports are transactions."""
