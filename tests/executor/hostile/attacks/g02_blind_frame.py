# id: G-02
# title: frames a value with every nonce it can guess without reading one, and never returns
# stage: run
# verdicts: runtime_error
# canaries: C8 escaped
import os

NONCES = ["", "0" * 32, "f" * 32, "nonce", "None", "null", "assay", *(format(n, "032x") for n in range(100))]
for nonce in NONCES:
    os.write(1, f'\n{nonce}{{"value": 42}}{nonce}\n'.encode())
os._exit(0)
