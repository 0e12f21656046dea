import { createServer, type ServerResponse } from 'node:http'
import { serveHttp, type Teardown } from './serve-http.ts'

/** One GET that the upstream has received. */
export interface VersionedCall {
  readonly key: string
  /** The process that sent it. */
  readonly pid: number
}

/** An upstream of items that have a version. A PUT raises it. */
export interface VersionedUpstream {
  readonly origin: string
  /** How long a GET takes, in ms. The test may change it. */
  latencyMs: number
  /** How long an answer is fresh, in seconds. The test may change it. */
  maxAge: number
  /** The GETs of an item so far. */
  callsOf(key: string): readonly VersionedCall[]
  /** The version of an item, from 1. */
  versionOf(key: string): number
}

/** Starts the upstream, with answers at once that are fresh for a minute. It ends with the test. */
export async function versionedUpstream(t: Teardown): Promise<VersionedUpstream> {
  const versions = new Map<string, number>()
  const calls: VersionedCall[] = []
  const versionOf = (key: string) => versions.get(key) ?? 1

  function answer(response: ServerResponse, key: string, version: number): void {
    response
      .writeHead(200, { 'content-type': 'application/json', 'cache-control': `max-age=${upstream.maxAge}` })
      .end(JSON.stringify({ key, version }))
  }

  const server = createServer((request, response) => {
    const key = (request.url ?? '').slice('/items/'.length)
    request.resume()
    if (request.method === 'PUT') {
      versions.set(key, versionOf(key) + 1)
      return answer(response, key, versionOf(key))
    }
    calls.push({ key, pid: Number(request.headers['x-replica']) })
    // The version is that of the time of the request, so a PUT meanwhile makes the answer an old one.
    const version = versionOf(key)
    const timer = setTimeout(() => answer(response, key, version), upstream.latencyMs)
    response.once('close', () => clearTimeout(timer))
  })
  const upstream: VersionedUpstream = {
    origin: await serveHttp(t, server),
    latencyMs: 0,
    maxAge: 60,
    callsOf: key => calls.filter(call => call.key === key),
    versionOf,
  }
  return upstream
}
