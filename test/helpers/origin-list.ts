import type { TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { z } from 'zod'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { testRun } from './call.ts'
import { dnsServer } from './dns-server.ts'
import { json, rawUpstream, type RawUpstream, type Script } from './raw-upstream.ts'

const params = z.object({ id: z.string() })

/** Declares an upstream with several origins, and operations that call it. */
export function declareCats(origins: UpstreamOptions['origins'], options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'cats',
    { retry: false, breaker: false, ...options, ...(origins && { origins }) },
    {
      cat: operation({ path: '/cats/{id}', params, output: z.unknown() }),
      kept: operation({ path: '/cats/{id}', params, output: z.unknown(), cache: true }),
      put: operation({ method: 'PUT', path: '/cats/{id}', params, output: z.unknown() }),
      post: operation({ method: 'POST', path: '/cats', output: z.unknown() }),
    },
  )
}

/** Answers each request with the number of its origin. */
export const numbered: (at: number) => Script = at => json(at)

/** Several servers on loopback, and an upstream whose origins they are. */
export async function originList(
  t: Test,
  scripts: readonly Script[],
  options: Partial<UpstreamOptions> = {},
  runtimeOptions: RuntimeOptions = {},
) {
  const servers: RawUpstream[] = []
  for (const script of scripts) servers.push(await rawUpstream(t, script))
  const runtime = createRuntime(runtimeOptions)
  t.teardown(() => runtime.close())
  return {
    servers,
    runtime,
    cats: declareCats(
      servers.map(({ origin }) => origin),
      options,
    ),
    ask: asker(runtime),
    /** The number of requests of each origin. */
    counts: () => servers.map(({ requests }) => requests.length),
    /** The state of each origin. */
    origins: () => runtime.stats()['cats']?.origins ?? [],
  }
}

/** Sends a call, and resolves with its value. */
function asker(runtime: Runtime) {
  return async (call: Call<unknown>, run = testRun()) => (await runtime.send(run.ask(call))).value
}

/**
 * Servers at 127.0.0.1, 127.0.0.2 and so on with one port, and an upstream whose origins are the addresses of the name
 * `cats.example`. At first the name has the addresses of all servers.
 */
export async function namedOrigins(
  t: Test,
  scripts: readonly Script[],
  options: Partial<UpstreamOptions> = {},
  server?: TlsOptions,
) {
  const servers: RawUpstream[] = []
  for (const [at, script] of scripts.entries())
    servers.push(await rawUpstream(t, script, server, undefined, servers[0]?.port, `127.0.0.${at + 1}`))
  const { port } = servers[0] as RawUpstream
  const dns = await dnsServer(t)
  /** Gives the name the addresses of some servers, by their numbers. */
  const moveTo = (...at: readonly number[]) => {
    dns.set('cats.example', { A: at.map(each => `127.0.0.${each + 1}`), ttl: 1 })
  }
  moveTo(...servers.keys())
  const runtime = createRuntime({ dnsServers: [dns.address] })
  t.teardown(() => runtime.close())
  const scheme = server === undefined ? 'http' : 'https'
  return {
    servers,
    runtime,
    dns,
    moveTo,
    cats: declareCats([{ origin: `${scheme}://cats.example:${port}`, addresses: true }], options),
    ask: asker(runtime),
    counts: () => servers.map(({ requests }) => requests.length),
    origins: () => runtime.stats()['cats']?.origins ?? [],
  }
}
