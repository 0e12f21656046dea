import type { Test } from 'tap'
import { z } from 'zod'
import { Abort } from '../../src/core/abort.ts'
import type { Call } from '../../src/upstream/call/call.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import type { CacheStoreFault } from '../../src/upstream/policies/cache/store.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from './call.ts'
import { json, rawUpstream } from './raw-upstream.ts'
import { openStore, type StoreOptions } from './redis-store.ts'
import type { RedisServer } from './redis.ts'

const id = z.object({ id: z.string() })

/** Declares an upstream whose answers are stored as it allows. */
export const declareCats = (origin: string) =>
  defineUpstream(
    'cats',
    { origin, retry: false, breaker: false },
    {
      cat: operation({ path: '/cats/{id}', params: id, output: z.unknown(), cache: true }),
      put: operation({ method: 'PUT', path: '/cats/{id}', params: id, output: z.unknown() }),
    },
  )

/** An upstream whose resources have a version, which each PUT raises. An answer is fresh for an hour. */
export async function versionedCats(t: Test) {
  const versions = new Map<string, number>()
  const { origin, requests } = await rawUpstream(t, (socket, { method, path }) => {
    const version = (versions.get(path) ?? 0) + (method === 'PUT' ? 1 : 0)
    versions.set(path, version)
    socket.write(json({ path, version }, 200, { 'cache-control': 'max-age=3600' }))
  })
  return { ...declareCats(origin), requests }
}

/** Opens the runtime of one replica with the store of a server. */
export async function openReplica(t: Test, server: RedisServer, options: StoreOptions = {}) {
  const opened = await openStore(t, server, options)
  const faults: CacheStoreFault[] = []
  const runtime = createRuntime({ cacheStore: opened.store, onCacheStoreFault: fault => faults.push(fault) })
  t.teardown(() => runtime.close())
  const ask = (call: Call<unknown>) => runtime.send(testRun().ask(call, { abort: new Abort() }))
  return {
    ...opened,
    faults,
    ask,
    cacheOf: async (call: Call<unknown>) => (await ask(call)).cached?.cache,
  }
}
