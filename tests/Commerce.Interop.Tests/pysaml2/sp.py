"""A service provider made of pysaml2, driven by lines of JSON: one command in, one answer out.

The first line is the configuration: {"entity_id", "acs", "slo", "idp_metadata", "key_file", "cert_file"}; the answer is {"metadata"}.
Then {"do": "request", "binding": "redirect" or "post", "relay_state", "is_passive"} answers {"id", "url"} or {"id", "fields"}, and
{"do": "response", "saml_response", "outstanding": [ids]} answers {"ok": true, ...} or {"ok": false, "error"}.
{"do": "logout"} answers {"url"}: the LogoutRequest for whoever signed in last. {"do": "logout_response", "message", "relay_state"} answers
{"ok", "status"}, and {"do": "logout_request", "message", "relay_state"} answers {"fields"}: the LogoutResponse by HTTP-POST.
"""
import json
import logging
import sys
from html.parser import HTMLParser

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import create_metadata_string
from saml2.saml import NAMEID_FORMAT_PERSISTENT
from saml2.xmldsig import DIGEST_SHA256, SIG_RSA_SHA256

logging.disable(logging.CRITICAL)
last = None  # the name of whoever signed in last


class Fields(HTMLParser):
    """The hidden fields of the form that pysaml2 writes for HTTP-POST."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "input" and attrs.get("type") == "hidden":
            self.found[attrs["name"]] = attrs.get("value", "")


def configure(given):
    return SPConfig().load({
        "entityid": given["entity_id"],
        "key_file": given["key_file"],
        "cert_file": given["cert_file"],
        "encryption_keypairs": [{"key_file": given["key_file"], "cert_file": given["cert_file"]}],
        "xmlsec_binary": given["xmlsec1"],
        "metadata": {"local": [given["idp_metadata"]]} if given.get("idp_metadata") else {},
        "allow_unknown_attributes": True,
        "service": {
            "sp": {
                "name": "pysaml2 test site",
                "endpoints": {
                    "assertion_consumer_service": [(given["acs"], BINDING_HTTP_POST)],
                    "single_logout_service": [(given["slo"], BINDING_HTTP_POST)],
                },
                "logout_requests_signed": True,
                "logout_responses_signed": True,
                "authn_requests_signed": True,
                "want_response_signed": True,
                "want_assertions_signed": True,
                "allow_unsolicited": True,
                "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                "name_id_format_allow_create": True,
                "signing_algorithm": SIG_RSA_SHA256,
                "digest_algorithm": DIGEST_SHA256,
            },
        },
    })


def request(client, command):
    binding = BINDING_HTTP_REDIRECT if command["binding"] == "redirect" else BINDING_HTTP_POST
    extra = {"is_passive": "true"} if command.get("is_passive") else {}
    request_id, info = client.prepare_for_authenticate(
        binding=binding, relay_state=command.get("relay_state") or "", nameid_format=NAMEID_FORMAT_PERSISTENT,
        sign=True, sigalg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256, **extra)
    if command["binding"] == "redirect":
        return {"id": request_id, "url": dict(info["headers"])["Location"]}
    fields = Fields()
    fields.feed(info["data"] if isinstance(info["data"], str) else "".join(info["data"]))
    return {"id": request_id, "fields": fields.found}


def response(client, command):
    try:
        answer = client.parse_authn_request_response(
            command["saml_response"], BINDING_HTTP_POST, outstanding={request_id: "/" for request_id in command["outstanding"]})
        if answer is None:
            return {"ok": False, "error": "pysaml2 read no response."}
        assertion = answer.assertion
        global last
        last = answer.name_id
        return {
            "ok": True,
            "name": answer.name_id.text,
            "format": answer.name_id.format,
            "issuer": answer.issuer(),
            "in_response_to": answer.in_response_to or "",
            "audience": [a.text for r in assertion.conditions.audience_restriction for a in r.audience],
            "session_index": assertion.authn_statement[0].session_index,
            "context": assertion.authn_statement[0].authn_context.authn_context_class_ref.text,
            "attributes": {a.name: [v.text for v in a.attribute_value] for s in assertion.attribute_statement for a in s.attribute},
            "identity": answer.get_identity(),
        }
    except Exception as refused:  # pysaml2 raises a kind of its own for each refusal
        return {"ok": False, "error": f"{type(refused).__name__}: {refused}"}


def logout(client):
    told = client.do_logout(last, list(client.users.issuers_of_info(last)), "", None, sign=True, expected_binding=BINDING_HTTP_REDIRECT,
                            sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256)
    ((_, info),) = told.values()
    return {"url": dict(info["headers"])["Location"]}


def logout_response(client, command):
    try:
        answer = client.parse_logout_request_response(command["message"], BINDING_HTTP_POST)
        return {"ok": answer.status_ok(), "status": answer.response.status.status_code.value}
    except Exception as refused:
        return {"ok": False, "error": f"{type(refused).__name__}: {refused}"}


def logout_request(client, command):
    info = client.handle_logout_request(
        command["message"], last, BINDING_HTTP_POST, sign=True, sign_alg=SIG_RSA_SHA256, digest_alg=DIGEST_SHA256, relay_state=command["relay_state"])
    fields = Fields()
    fields.feed(info["data"] if isinstance(info["data"], str) else "".join(info["data"]))
    return {"fields": fields.found}


def main():
    client = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "configure":
            config = configure(command)
            answer = {"metadata": create_metadata_string(None, config=config).decode()}
            client = Saml2Client(config=config) if command.get("idp_metadata") else None
        elif command["do"] == "logout":
            answer = logout(client)
        elif command["do"] == "logout_response":
            answer = logout_response(client, command)
        elif command["do"] == "logout_request":
            answer = logout_request(client, command)
        elif command["do"] == "request":
            answer = request(client, command)
        else:
            answer = response(client, command)
        print(json.dumps(answer), flush=True)


main()
