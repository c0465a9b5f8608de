// After the payer answered their bank in a frame: the page around it asks the sandbox what became of the payment.
window.parent.postMessage({ event: "confirmed" }, "*");
