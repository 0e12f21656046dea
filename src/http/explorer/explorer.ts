import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { lazyBundle } from './bundle.ts'
import { bundleVersion, page, script } from './page.ts'
import type { RateLimitHook } from '../guard/admission.ts'
import { notModified } from '../reply/not-modified.ts'
import { allowMethods } from '../routing/allowed-methods.ts'

/** The explorer writes styles into its page; scripts are files, and nothing is asked of another origin. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/**
 * `/docs`: a page that shows the `openapi.json` beside it and sends its requests. Nothing of it is loaded before it is
 * opened.
 *
 * @param limit Counts a request for the bundle, which has 1.4 MB, or 4.9 MB without gzip. @default counts none
 */
export function addExplorer(app: FastifyInstance, limit: RateLimitHook = async () => {}): void {
  const bundle = lazyBundle()
  // Kept, since decompressing it takes 40 ms of CPU time.
  const plain = lazyBundle(async () => promisify(gunzip)(await bundle()))

  app.get('/docs', (request, reply) => {
    reply.header('content-security-policy', policy).header('referrer-policy', 'no-referrer')
    return send(request, reply, 'text/html', page)
  })
  app.get('/docs/', (_request, reply) => reply.redirect('../docs', 308))
  app.get('/docs/explorer.js', (request, reply) => send(request, reply, 'text/javascript', script))

  app.get(`/docs/scalar-${bundleVersion}.js`, { onRequest: limit }, async (request, reply) => {
    reply.header('cache-control', 'public, max-age=31536000, immutable').header('vary', 'accept-encoding')
    if (isKnown(request, reply, `W/"scalar-${bundleVersion}"`)) return reply
    reply.type('text/javascript; charset=utf-8')
    if (takesGzip(request.headers['accept-encoding']))
      return reply.header('content-encoding', 'gzip').send(await bundle())
    return reply.send(await plain())
  })
  for (const url of ['/docs', '/docs/', '/docs/explorer.js', `/docs/scalar-${bundleVersion}.js`])
    allowMethods(app, url, ['GET'])
}

/** Sends a text that browsers keep and ask about each time. */
function send(request: FastifyRequest, reply: FastifyReply, type: string, text: string): FastifyReply {
  reply.header('cache-control', 'no-cache')
  if (isKnown(request, reply, `"${hash('sha1', text, 'base64url')}"`)) return reply
  return reply.type(`${type}; charset=utf-8`).send(text)
}

/** Names what is sent, and answers a browser that has it already. */
function isKnown(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag).header('x-content-type-options', 'nosniff')
  return notModified(request, reply, tag)
}

/** Whether an `Accept-Encoding` header takes gzip (RFC 9110, section 12.5.3). */
function takesGzip(header = ''): boolean {
  return header
    .toLowerCase()
    .split(',')
    .some(each => /^\s*(?:x-)?gzip\s*(?:$|;(?!\s*q=0(?:\.0*)?\s*$))/.test(each))
}
