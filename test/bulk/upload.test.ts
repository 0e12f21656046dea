import { test } from 'tap'
import fc from 'fast-check'
import { Problem } from '../../src/errors.ts'
import { Journal } from '../../src/bulk/journal.ts'
import { maxLineBytes, Upload, type UploadLimits } from '../../src/bulk/upload.ts'
import { MemoryStore } from './helpers/memory-store.ts'

async function uploaded(pieces: readonly Buffer[], limits: Partial<UploadLimits> = {}, store = new MemoryStore()) {
  const upload = new Upload(store, 'u1', { maxItems: 1000, maxBytes: 10_000_000, ...limits })
  for (const piece of pieces) await upload.add(piece)
  const digest = await upload.finish()
  const chunks = [...store.objects.keys()].sort().map(name => (store.objects.get(name) as Buffer).toString())
  return { upload, digest, chunks, store }
}

const bytes = (text: string) => Buffer.from(text)

test('lines become chunks of 100 items, wherever the pieces of the body end', async t => {
  const line = fc.stringMatching(/^[a-z{}": \r\t]{0,9}$/)
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 250 }), fc.integer({ min: 1, max: 50 }), async (lines, size) => {
      const text = lines.join('\n')
      const items = lines.filter(each => /[^ \r\t]/.test(each))
      fc.pre(items.length > 0)
      const whole = bytes(text)
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, n) =>
        whole.subarray(n * size, (n + 1) * size),
      )
      const one = await uploaded(pieces)
      const other = await uploaded([whole])
      t.same(one.chunks, other.chunks)
      t.equal(one.digest, other.digest)
      t.equal(one.upload.items, items.length)
      t.equal(one.chunks.join(''), items.map(each => `${each}\n`).join(''))
      t.ok(one.chunks.every(chunk => chunk.split('\n').length <= 101))
    }),
    { numRuns: 60 },
  )
})

test('a body that exceeds a limit is refused with the limit', async t => {
  const refusals: readonly (readonly [string, Partial<UploadLimits>, RegExp])[] = [
    ['1\n2\n3\n', { maxItems: 2 }, /more than 2 inputs/],
    ['1\n2\n3\n', { maxBytes: 5 }, /more than 5 bytes/],
    [`1\n${'x'.repeat(maxLineBytes + 1)}`, {}, /Line 2 has more than 65536 bytes/],
    [`1\n${'x'.repeat(maxLineBytes + 1)}\n2`, {}, /Line 2 has more than 65536 bytes/],
  ]
  for (const [text, limits, detail] of refusals)
    await t.rejects(uploaded([bytes(text)], limits), { code: 'PAYLOAD_TOO_LARGE', detail })
  await t.rejects(uploaded([bytes(' \r\n\n')]), { code: 'INPUT_INVALID' })
  await t.rejects(uploaded([]), Problem)
})

test('an upload that is removed leaves no chunk', async t => {
  const store = new MemoryStore()
  const upload = new Upload(store, 'u1', { maxItems: 1000, maxBytes: 1_000_000 })
  await upload.add(bytes('1\n'.repeat(700)))
  t.equal(store.objects.size, 7)
  await upload.remove()
  t.equal(store.objects.size, 0)
})

test('a store that fails fails the upload', async t => {
  const store = new MemoryStore()
  store.create = async () => {
    throw new Error('ENOSPC')
  }
  await t.rejects(uploaded([bytes('1\n'.repeat(1000))], {}, store), { message: 'ENOSPC' })
  await t.rejects(uploaded([bytes('1\n')], {}, store), { message: 'ENOSPC' })
})

test('an upload that became no run is removed after two hours, and that of a run stays', async t => {
  const store = new MemoryStore()
  let now = 1_000_000
  const journal = new Journal(store, () => now)
  const upload = new Upload(store, journal.newUpload(), { maxItems: 10, maxBytes: 100 })
  await upload.add(bytes('1\n'))
  await upload.finish()
  const other = new Upload(store, journal.newUpload(), { maxItems: 10, maxBytes: 100 })
  await other.add(bytes('1\n'))
  const run = {
    id: '1'.repeat(32),
    owner: 'a'.repeat(32),
    aggregate: 'double',
    items: 1,
    upload: other.name,
    digest: await other.finish(),
    retention: 5000,
  }
  await journal.create(run)
  now += 2 * 3_600_000
  await journal.sweep()
  t.equal((await store.list('uploads')).length, 2)
  now++
  t.same(await journal.sweep(), [])
  t.same(await store.list('uploads'), [other.name])
  const created = await journal.find(run.owner, run.id)
  t.ok(await journal.end(created as NonNullable<typeof created>, 'cancelled'))
  now += 4999
  t.same(await journal.sweep(), [])
  now++
  t.same(await journal.sweep(), [run.id])
  t.equal(store.objects.size, 0)
})
