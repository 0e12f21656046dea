import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { page } from '../../dashboard/page.ts'
import { Problem } from '../../errors.ts'
import { logOutcome, probed } from '../../http/log/request-outcome.ts'
import { notModified } from '../../http/reply/not-modified.ts'
import { allowMethods } from '../../http/routing/allowed-methods.ts'
import { Assets, type Asset } from './assets.ts'

/** The path of the page. */
export const dashboardUrl = '/dashboard'

/** The content security policy of the page: its own files and the events of this listener, and nothing else. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const text = page(import.meta.url.endsWith('.ts') ? 'ts' : 'js')
const html = { type: 'text/html', text, tag: `"${hash('sha1', text, 'base64url')}"` } as const

/** Adds the page of the dashboard and its files. They have no data and need no key. */
export function addPageRoutes(app: FastifyInstance, assets = new Assets()): void {
  app.get(dashboardUrl, (request, reply) => {
    reply.header('content-security-policy', policy)
    return send(request, reply, html)
  })
  app.get(`${dashboardUrl}/`, (_request, reply) => reply.redirect('../dashboard', 308))
  app.get<{ Params: { '*': string } }>(`${dashboardUrl}/assets/*`, async (request, reply) => {
    const asset = await assets.find(request.params['*'])
    if (asset === undefined) throw new Problem('NOT_FOUND')
    return send(request, reply, asset)
  })
  for (const url of [dashboardUrl, `${dashboardUrl}/`, `${dashboardUrl}/assets/*`]) allowMethods(app, url, ['GET'])
}

/** Sends a text that the browser revalidates before each use. */
function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, text, tag }: Pick<Asset, 'text' | 'tag'> & { readonly type: string },
): FastifyReply {
  logOutcome(request, probed)
  reply
    .header('cache-control', 'no-cache')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('cross-origin-resource-policy', 'same-origin')
    .header('etag', tag)
  if (notModified(request, reply, tag)) return reply
  return reply.type(`${type}; charset=utf-8`).send(text)
}
