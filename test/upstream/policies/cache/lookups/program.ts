// Prints the bytes that a lookup of the memory store allocates when it finds an entry.
import assert from 'node:assert/strict'
import { z } from 'zod'
import { Abort } from '../../../../../src/core/abort.ts'
import { defineUpstream, operation } from '../../../../../src/upstream/declare.ts'
import { createCacheAdapter } from '../../../../../src/upstream/policies/cache/cache-adapter.ts'
import { entryOf } from '../../../../../src/upstream/policies/cache/entry-of.ts'
import { createMemoryStore } from '../../../../../src/upstream/policies/cache/memory-store.ts'
import { testRun } from '../../../../helpers/call.ts'

const lookups = 1000
const rounds = 200

const { cat } = defineUpstream(
  'cats',
  { origin: 'http://127.0.0.1:9' },
  { cat: operation({ path: '/cat', output: z.number(), cache: true }) },
)
const call = testRun().ask(cat(), { abort: new Abort() })
const place = { key: 'a', uri: 'http://127.0.0.1:9/cat' }
const adapter = createCacheAdapter(createMemoryStore(), assert.fail)
const found = entryOf(
  call.spec,
  { value: 1, status: 200, head: { 'content-type': 'application/json' }, body: Buffer.from('1') },
  { requestedAt: 1, receivedAt: 2, generation: '0' },
  { initialAge: 0, lifetime: 1000, staleWhileRevalidate: 0, staleIfError: 0 },
  'values',
)
adapter.store(place.key, place.uri, found)
assert.deepEqual(adapter.find(place, call), found)

const bytes = Array.from({ length: rounds }, () => {
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < lookups; count++) adapter.find(place, call)
  return (process.memoryUsage().heapUsed - before) / lookups
})
// A garbage collection makes some of them negative.
process.stdout.write(String(bytes.toSorted((a, b) => a - b)[rounds / 2]))
