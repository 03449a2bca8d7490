// Signs and verifies as providers' own libraries do. Reads a JSON array of requests from standard
// input and writes an array of what came of each. With `headers`: are they genuine? Without: make them.

// Fed to Node.js by --eval, which looks for packages where it is started.

import { readFileSync } from "node:fs";

import * as octokit from "@octokit/webhooks-methods";
import "@shopify/shopify-api/adapters/node";
import * as shopify from "@shopify/shopify-api/runtime";
import { Resend } from "resend";
import * as standard from "standardwebhooks";
import Stripe from "stripe";
import * as svix from "svix";

const time = ({ at_s }) => new Date(at_s * 1000);

const family = (name, Webhook) => ({
  sign: ({ secret, id, at_s, body }) => ({
    [`${name}-id`]: id,
    [`${name}-timestamp`]: `${at_s}`,
    [`${name}-signature`]: new Webhook(secret).sign(id, time({ at_s }), body),
  }),
  verify: ({ secret, headers, body }) => new Webhook(secret).verify(body, headers),
});

const LIBRARIES = {
  stripe: {
    sign: ({ secret, at_s, body }) => ({
      "stripe-signature": Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at_s }),
    }),
    verify: ({ secret, headers, body }) => Stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret),
  },
  "@octokit/webhooks-methods": {
    sign: async ({ secret, body }) => ({ "x-hub-signature-256": await octokit.sign(secret, body) }),
    verify: async ({ secret, headers, body }) => {
      if (!(await octokit.verify(secret, body, headers["x-hub-signature-256"]))) throw new Error("no match");
    },
  },
  "@shopify/shopify-api": {
    sign: async ({ secret, body }) => ({ "x-shopify-hmac-sha256": await shopify.createSHA256HMAC(secret, body) }),
    verify: async ({ secret, headers, body }) => {
      const code = await shopify.createSHA256HMAC(secret, body);
      if (code !== headers["x-shopify-hmac-sha256"]) throw new Error("no match");
    },
  },
  standardwebhooks: family("webhook", standard.Webhook),
  svix: family("svix", svix.Webhook),
  resend: {
    verify: ({ secret, headers, body }) =>
      new Resend("re_none").webhooks.verify({
        payload: body,
        webhookSecret: secret,
        headers: {
          id: headers["svix-id"],
          timestamp: headers["svix-timestamp"],
          signature: headers["svix-signature"],
        },
      }),
  },
};

async function answer(request) {
  const library = LIBRARIES[request.library];
  if (!request.headers) return { headers: await library.sign(request) };
  try {
    await library.verify(request);
    return { genuine: true };
  } catch (error) {
    return { genuine: false, reason: `${error}` };
  }
}

const requests = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(requests.map(answer))));
