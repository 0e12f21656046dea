import { gzipSync } from 'node:zlib'
import { test } from 'tap'
import { readEntryText, writeEntry } from '../../../src/redis/cache/entry-text.ts'
import type { Entry } from '../../../src/upstream/policies/cache/entry.ts'
import { entryFor } from '../../helpers/redis-store.ts'

type BodyEntry = Entry & { readonly body: string }
const entryOf = (body: string) => entryFor('a', 'first', body) as BodyEntry
const max = 1024 * 1024

test('a body above compressAbove is compressed, and read as it was', async t => {
  const body = JSON.stringify('é\u2028😀 text '.repeat(300))
  const entry = entryOf(body)
  const text = await writeEntry(entry, body.length - 1)
  t.ok(text.length < body.length / 2, `${text.length}`)
  t.same(await readEntryText(text, max), entry)
  const plain = writeEntry(entry, body.length)
  t.equal(plain, JSON.stringify(entry), 'a body of compressAbove characters is written at once')
  t.same(readEntryText(plain as string, max), entry)
})

test('a body that compression makes longer is written as it is', async t => {
  const entry = entryOf(
    Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index * 7919) % 251)).toString('base64'),
  )
  const short = entryOf('"abc"')
  t.equal(await writeEntry(short, 1), JSON.stringify(short))
  t.same(await readEntryText(await writeEntry(entry, 1), max), entry)
})

test('a small compressed body is read at once, and a large one in another thread', async t => {
  const small = entryOf(JSON.stringify('x'.repeat(100_000)))
  const found = readEntryText(await writeEntry(small, 1), max)
  t.notOk(found instanceof Promise)
  t.same(found, small)
  const large = entryOf(JSON.stringify(Array.from({ length: 20_000 }, (_, index) => index * 7919)))
  const later = readEntryText(await writeEntry(large, 1), max)
  t.ok(later instanceof Promise)
  t.same(await later, large)
})

test('a damaged compressed body is returned as text, which is not an entry', async t => {
  for (const body of [
    JSON.stringify('text '.repeat(1000)),
    JSON.stringify(Array.from({ length: 20_000 }, Math.sqrt)),
  ]) {
    const text = await writeEntry(entryOf(body), 1)
    const stored = JSON.parse(text) as { z: string }
    const bytes = Buffer.from(stored.z, 'base64')
    const damaged = Buffer.from(bytes)
    damaged[bytes.length - 6] = (damaged[bytes.length - 6] as number) ^ 1
    for (const z of [damaged.toString('base64'), bytes.subarray(0, -9).toString('base64'), 'no gzip', '', 7, null]) {
      const spoilt = JSON.stringify({ ...stored, z })
      t.equal(await readEntryText(spoilt, max), spoilt, String(z).slice(0, 20))
    }
  }
})

test('a compressed body that expands above the limit is refused', async t => {
  for (const size of [100_000, 40_000_000]) {
    const z = gzipSync(Buffer.alloc(size, 'x')).toString('base64')
    const text = JSON.stringify({ ...entryOf(''), body: undefined, z })
    t.equal(await readEntryText(text, size - 1), text)
    t.match(await readEntryText(text, size), { key: entryOf('').key })
  }
})

test('a text that is not JSON is returned as it is', async t => {
  for (const text of ['', 'text', '{', '{"z":']) t.equal(readEntryText(text, max), text)
  t.equal(readEntryText('null', max), null)
  t.same(readEntryText('[1]', max), [1])
})
