import fc from 'fast-check'
import { test } from 'tap'
import { readLines } from '../../src/client/lines.ts'

/** Returns a body with these chunks. */
function bodyOf(chunks: readonly Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const encode = (text: string) => new TextEncoder().encode(text)

/** Cuts bytes at the given places. */
function cutAt(bytes: Uint8Array<ArrayBuffer>, places: readonly number[]): Uint8Array<ArrayBuffer>[] {
  const ends = [...places.map(place => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end))
}

test('the lines of a body are the same at any borders of its chunks', async t => {
  let cuts = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', ' '))),
      fc.array(fc.nat(200), { maxLength: 20 }),
      async (lines, places) => {
        const chunks = cutAt(encode(lines.map(line => `${line}\n`).join('')), places)
        cuts += chunks.length
        t.strictSame(await listOf(readLines(bodyOf(chunks))), lines)
      },
    ),
  )
  t.ok(cuts > 100)
})

test('a character of four bytes is read from four chunks', async t => {
  const bytes = encode('a😀b\n')
  const chunks = Array.from(bytes, byte => Uint8Array.of(byte))
  t.same(await listOf(readLines(bodyOf(chunks))), ['a😀b'])
})

test('a line without its line feed is dropped, because it was cut', async t => {
  t.same(await listOf(readLines(bodyOf([encode('{"a":1}\n{"b":2}')]))), ['{"a":1}'])
})

test('a line that is too long is refused before its end', async t => {
  const lines = readLines(bodyOf([encode('12345\n'), encode('123'), encode('456')]), 5)
  t.same(await lines.next(), { done: false, value: '12345' })
  await t.rejects(lines.next(), new RangeError('a line of the stream has more than 5 characters'))
})

test('a line of many chunks takes a time that grows with its length only', async t => {
  const chunk = encode('x'.repeat(1024))
  const [line = ''] = await listOf(readLines(bodyOf([...Array.from({ length: 20_000 }, () => chunk), encode('\n')])))
  t.equal(line.length, 20_000 * 1024)
})
