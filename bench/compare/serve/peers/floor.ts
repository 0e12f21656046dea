import { writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { boundedCalls } from '../../app/peers/bounded.ts'
import type { Input } from '../inputs.ts'

/** The input of one inbound request and the forwarded headers. */
export interface FactsRequest extends Input {
  readonly count: number
  readonly headers: Readonly<Record<string, string>>
}

const prefix = '/v1/facts/'

/**
 * Serves the case with the minimum that a competent engineer writes by hand for an upstream call: input validation,
 * both concurrency limits, a queue, a merge and a log line.
 */
export function serveFloor(call: (request: FactsRequest, index: number) => Promise<unknown>, callAll = boundedCalls()) {
  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    const input = readInput(request)
    if (input === undefined) return { status: 400, body: '{"error":"the input is not valid"}' }
    try {
      const facts = await callAll(input.count, index => call(input, index))
      return { status: 200, body: JSON.stringify({ facts }) }
    } catch (error) {
      console.error(error)
      return { status: 502, body: '{"error":"the upstream failed"}' }
    }
  }

  const server = createServer((request, response) => {
    const startedAt = performance.now()
    void answer(request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      response.end(body)
      const line = {
        level: 'info',
        time: Date.now(),
        method: request.method,
        path: request.url?.split('?', 1)[0],
        status,
        ms: performance.now() - startedAt,
      }
      writeSync(1, `${JSON.stringify(line)}\n`)
    })
  })
  server.listen(Number(process.env['PORT']), '127.0.0.1', 1024)
}

/** Returns the path and query of one upstream call. */
export function pathOf({ topic, lang, maxLength }: FactsRequest, index: number): string {
  let path = `/topics/${encodeURIComponent(topic)}/fact?index=${index}`
  if (lang !== undefined) path += `&lang=${encodeURIComponent(lang)}`
  if (maxLength !== undefined) path += `&max_length=${maxLength}`
  return path
}

function readInput({ url = '', headers }: IncomingMessage): FactsRequest | undefined {
  const queryAt = url.indexOf('?')
  if (!url.startsWith(prefix) || queryAt === -1) return undefined
  const query = new URLSearchParams(url.slice(queryAt + 1))
  const count = Number(query.get('n'))
  const lang = query.get('lang')
  const limit = query.get('max_length')
  const maxLength = limit === null ? undefined : Number(limit)
  if (!isWhole(count) || count > 100 || (maxLength !== undefined && !isWhole(maxLength))) return undefined
  let topic: string
  try {
    topic = decodeURIComponent(url.slice(prefix.length, queryAt))
  } catch {
    return undefined
  }
  return {
    topic,
    count,
    ...(lang !== null && { lang }),
    ...(maxLength !== undefined && { maxLength }),
    headers: forwardedOf(headers),
  }
}

function forwardedOf(headers: IncomingMessage['headers']) {
  const forwarded: Record<string, string> = {}
  const { 'accept-language': language, 'x-tenant': tenant } = headers
  if (language !== undefined) forwarded['accept-language'] = language
  if (typeof tenant === 'string') forwarded['x-tenant'] = tenant
  return forwarded
}

function isWhole(value: number) {
  return Number.isInteger(value) && value >= 1
}
