"""Verifies messages with lasso, which nobody here wrote. One process for a whole corpus.

Argument: a JSON file {"idp", "sp": metadata files, "key": file of the site's private key, "messages": [{"kind", "text"}]}; kind is "response" (Base64),
"post" (an AuthnRequest in Base64) or "redirect" (its query). Prints one JSON list: null where lasso takes the message, else why not.
"""
import json
import sys

import lasso


def take(corpus, message):
    is_response = message["kind"] == "response"
    own, other, role = ("sp", "idp", lasso.PROVIDER_ROLE_IDP) if is_response else ("idp", "sp", lasso.PROVIDER_ROLE_SP)
    server = lasso.Server(corpus[own], corpus["key"] if is_response else None, None, None)
    server.addProvider(role, corpus[other], None, None)
    login = lasso.Login(server)
    # Of a response either signature is enough; what is signed has to hold. A request must be signed.
    login.setSignatureVerifyHint(lasso.PROFILE_SIGNATURE_VERIFY_HINT_MAYBE if is_response else lasso.PROFILE_SIGNATURE_VERIFY_HINT_FORCE)
    if is_response:
        login.processAuthnResponseMsg(message["text"])
    else:
        login.processAuthnRequestMsg(message["text"])


corpus = json.load(open(sys.argv[1]))
said = []
for message in corpus["messages"]:
    try:
        take(corpus, message)
        said.append(None)
    except Exception as no:
        said.append(f"{type(no).__name__}: {no}")
print(json.dumps(said))
