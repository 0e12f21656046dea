import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { lazyBundle } from './bundle.ts'
import { bundleVersion, page, script } from './page.ts'
import type { RateLimit } from '../guard/rate-limit.ts'
import { notModified } from '../reply/not-modified.ts'
import { allowMethods } from '../routing/allowed-methods.ts'

/** The content security policy of the page. The explorer adds inline styles; its scripts are files of this origin. */
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
 * Adds `/docs`, a page that shows `openapi.json` and sends requests of its operations. The explorer is loaded at the
 * first request.
 *
 * @param title The name of the API.
 * @param limit Counts a request for the bundle, which has 1.4 MB, or 4.9 MB without gzip. @default counts none
 */
export function addExplorer(
  app: FastifyInstance,
  title: string,
  limit: RateLimit['countRequest'] = async () => {},
): void {
  const html = page(title)
  const bundle = lazyBundle()
  // Cached, since decompression takes 40 ms of CPU time.
  const plain = lazyBundle(async () => promisify(gunzip)(await bundle()))

  app.get('/docs', (request, reply) => {
    reply.header('content-security-policy', policy).header('referrer-policy', 'no-referrer')
    return send(request, reply, 'text/html', html)
  })
  app.get('/docs/', (_request, reply) => reply.redirect('../docs', 308))
  app.get('/docs/explorer.js', (request, reply) => send(request, reply, 'text/javascript', script))

  app.get(`/docs/scalar-${bundleVersion}.js`, { onRequest: limit }, async (request, reply) => {
    reply.header('cache-control', 'public, max-age=31536000, immutable').header('vary', 'accept-encoding')
    if (isCached(request, reply, `W/"scalar-${bundleVersion}"`)) return reply
    reply.type('text/javascript; charset=utf-8')
    if (acceptsGzip(request.headers['accept-encoding']))
      return reply.header('content-encoding', 'gzip').send(await bundle())
    return reply.send(await plain())
  })
  for (const url of ['/docs', '/docs/', '/docs/explorer.js', `/docs/scalar-${bundleVersion}.js`])
    allowMethods(app, url, ['GET'])
}

/** Sends a text that browsers revalidate before each use. */
function send(request: FastifyRequest, reply: FastifyReply, type: string, text: string): FastifyReply {
  reply.header('cache-control', 'no-cache')
  if (isCached(request, reply, `"${hash('sha1', text, 'base64url')}"`)) return reply
  return reply.type(`${type}; charset=utf-8`).send(text)
}

/** Sets the entity tag, and replies 304 if the browser has this version. Returns whether it replied. */
function isCached(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag).header('x-content-type-options', 'nosniff')
  return notModified(request, reply, tag)
}

/** Returns whether an `accept-encoding` header accepts gzip (RFC 9110, section 12.5.3). */
function acceptsGzip(header = ''): boolean {
  return header
    .toLowerCase()
    .split(',')
    .some(each => /^\s*(?:x-)?gzip\s*(?:$|;(?!\s*q=0(?:\.0*)?\s*$))/.test(each))
}
