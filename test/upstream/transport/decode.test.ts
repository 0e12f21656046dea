import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { decode, isDecodable, maxFrames } from '../../../src/upstream/transport/decode.ts'
import { operationSpec } from '../../../src/upstream/spec/check-operation.ts'
import { upstreamSpec } from '../../../src/upstream/spec/check-upstream.ts'
import { failure } from '../../helpers/failure.ts'

function specOf(maxBytes: number) {
  return operationSpec(upstreamSpec('raw', { origin: 'http://127.0.0.1', maxResponseBytes: maxBytes }, []), 'ask', {
    path: '/',
    output: z.unknown(),
  })
}

const roomy = specOf(1 << 20)

/** Decodes a body; a failure rejects. */
function decoded(coding: string, body: Buffer, spec = roomy): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    decode(spec, 200, coding, body, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
  )
}

const encoders = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
} as const
type Coding = keyof typeof encoders
const names = Object.keys(encoders) as Coding[]
const withMembers = ['gzip', 'x-gzip', 'zstd'] as const

const word = Buffer.from('{"word":1}')
const space = Buffer.from(' \n')
const nothing = Buffer.alloc(0)

/** A skippable frame of zstd (RFC 8878, section 3.1.2). */
function skippable(content: Uint8Array, kind = 0): Buffer {
  const head = Buffer.from([0x50 + kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}

/** A frame of zstd without content size that declares a window of 2^log bytes and holds `hello` as it is. */
function windowed(log: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, 0x01 | (5 << 3), 0, 0, ...Buffer.from('hello')])
}

test('a body of one member is decoded, whatever its length is', async t => {
  // Node takes output by pieces of 16 KiB, and goes on otherwise where the last one is full.
  for (const length of [0, 1, 16_383, 16_384, 16_385, 32_768, 65_536]) {
    const bytes = Buffer.alloc(length, 'ab')
    for (const name of names)
      t.ok((await decoded(name, encoders[name](bytes))).equals(bytes), `${name} of ${length} bytes`)
  }
})

test('all members of gzip and all frames of zstd are decoded', async t => {
  const full = Buffer.alloc(16_384, ' ')
  for (const name of withMembers) {
    const encode = encoders[name]
    for (const parts of [
      [word, space],
      [nothing, word],
      [word, nothing, space],
      [word, nothing],
      [nothing, nothing],
      [full, word],
      [space, full, full, word, full],
    ]) {
      t.equal(
        (await decoded(name, Buffer.concat(parts.map(part => encode(part))))).toString(),
        Buffer.concat(parts).toString(),
        name,
      )
    }
  }
})

test('skippable frames of zstd add nothing, wherever they are', async t => {
  const skip = skippable(Buffer.from('skipped'))
  const [frame, more] = [zstdCompressSync(word), zstdCompressSync(space)]
  for (const [expected, ...frames] of [
    ['{"word":1}', skip, frame],
    ['{"word":1}', frame, skip],
    ['{"word":1} \n', frame, skip, more],
    ['{"word":1}', skippable(nothing, 15), skip, frame],
    ['', skip],
    ['', skip, skippable(nothing)],
  ] as const) {
    t.equal((await decoded('zstd', Buffer.concat(frames))).toString(), expected)
  }
})

test('frames of zstd with a content size and a checksum are decoded', async t => {
  const frame = zstdCompressSync(word, {
    pledgedSrcSize: word.length,
    params: { [constants.ZSTD_c_contentSizeFlag]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  t.equal((await decoded('zstd', Buffer.concat([frame, frame]))).toString(), '{"word":1}{"word":1}')
  const damaged = Buffer.concat([frame.subarray(0, -1), Buffer.from([(frame.at(-1) as number) ^ 1])])
  t.match(await failure(decoded('zstd', Buffer.concat([frame, damaged]))), {
    code: 'UPSTREAM_ENCODING',
    message: /its zstd body cannot be decoded/,
  })
})

test('a second member of deflate or br is refused, since these codings have none', async t => {
  for (const name of ['deflate', 'br'] as const) {
    const encode = encoders[name]
    for (const parts of [
      [word, space],
      [nothing, word],
      [word, nothing],
    ]) {
      t.match(
        await failure(decoded(name, Buffer.concat(parts.map(part => encode(part))))),
        { code: 'UPSTREAM_ENCODING', message: /bytes after its end/ },
        name,
      )
    }
  }
})

test('bytes behind the last member are refused in every coding', async t => {
  for (const name of names) {
    for (const member of [word, nothing, Buffer.alloc(16_384, ' ')].map(bytes => encoders[name](bytes))) {
      for (const rest of [
        '\0',
        '\0\0\0\0\0\0\0\0',
        '\n',
        'x',
        'garbage',
        '\x1f',
        '\x1f\x8b',
        '\x28\xb5\x2f\xfd',
        '\x50\x2a\x4d\x18',
        '\x50\x2a\x4d\x18\xff\xff\xff\xffx',
      ]) {
        t.match(
          await failure(decoded(name, Buffer.concat([member, Buffer.from(rest, 'latin1')]))),
          { code: 'UPSTREAM_ENCODING', upstreamStatus: 200 },
          `${name} with ${JSON.stringify(rest)}`,
        )
      }
    }
  }
})

test('a body that is cut anywhere is refused in every coding', async t => {
  for (const name of names) {
    const whole = encoders[name](word)
    for (let length = 1; length < whole.length; length++) {
      t.match(
        await failure(decoded(name, whole.subarray(0, length))),
        { code: 'UPSTREAM_ENCODING', message: new RegExp(`its ${name} body cannot be decoded`) },
        `${name} of ${length} bytes`,
      )
    }
  }
  const skip = skippable(Buffer.from('skipped'))
  for (let length = 1; length < skip.length; length++)
    t.match(await failure(decoded('zstd', skip.subarray(0, length))), { code: 'UPSTREAM_ENCODING' })
})

test('deflate without its zlib header is refused', async t => {
  t.match(await failure(decoded('deflate', deflateRawSync(word))), { code: 'UPSTREAM_ENCODING' })
})

test('a window that needs more memory than a content coding may is refused', async t => {
  t.equal((await decoded('zstd', windowed(23))).toString(), 'hello')
  for (const log of [24, 27, 31])
    t.match(await failure(decoded('zstd', windowed(log))), { code: 'UPSTREAM_ENCODING' }, `2^${log}`)
  t.match(
    await failure(decoded('zstd', Buffer.concat([zstdCompressSync(word), windowed(24)]))),
    { code: 'UPSTREAM_ENCODING' },
    'in the second frame',
  )
  t.equal(
    (await decoded('br', brotliCompressSync(word, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }))).toString(),
    '{"word":1}',
  )
  const large = brotliCompressSync(Buffer.alloc(1000), {
    params: { [constants.BROTLI_PARAM_LARGE_WINDOW]: 1, [constants.BROTLI_PARAM_LGWIN]: 30 },
  })
  t.match(await failure(decoded('br', large)), { code: 'UPSTREAM_ENCODING' })
})

test('the limit of bytes holds for all members together', async t => {
  for (const name of names) {
    t.equal((await decoded(name, encoders[name](word), specOf(word.length))).length, word.length, name)
    t.match(
      await failure(decoded(name, encoders[name](word), specOf(word.length - 1))),
      { code: 'UPSTREAM_TOO_LARGE', message: /the limit is 9 bytes after decoding/ },
      name,
    )
  }
  for (const name of withMembers) {
    const encode = encoders[name]
    const three = Buffer.concat([encode(word), encode(word), encode(space), encode(nothing)])
    t.equal((await decoded(name, three, specOf(22))).length, 22, `${name}: an empty member fits in no room`)
    for (const limit of [21, 20, 19, 10, 1])
      t.match(await failure(decoded(name, three, specOf(limit))), { code: 'UPSTREAM_TOO_LARGE' }, `${name} of ${limit}`)
  }
  t.match(
    await failure(decoded('zstd', Buffer.concat([encoders.zstd(word), encoders.zstd(Buffer.from('1'))]), specOf(10))),
    { code: 'UPSTREAM_TOO_LARGE' },
    'one byte more',
  )
})

test('a bomb behind many members is refused before it is unpacked', async t => {
  for (const name of withMembers) {
    const bomb = encoders[name](Buffer.alloc(64 << 20))
    const body = Buffer.concat([...Array.from({ length: 100 }, () => encoders[name](word)), bomb])
    t.match(await failure(decoded(name, body, specOf(100_000))), { code: 'UPSTREAM_TOO_LARGE' }, name)
  }
})

test('many small members are decoded one after the other', async t => {
  for (const name of withMembers) {
    const body = Buffer.concat(Array.from({ length: maxFrames }, () => encoders[name](space)))
    t.equal((await decoded(name, body)).length, 2 * maxFrames, name)
  }
})

const emptyFrame = zstdCompressSync(nothing)
const emptyMember = gzipSync(nothing)

test('very many empty frames are refused early, and very many empty members of gzip are read', async t => {
  const frames = Buffer.concat(Array.from({ length: 500_000 }, () => emptyFrame))
  t.match(await failure(decoded('zstd', frames)), {
    code: 'UPSTREAM_TOO_LARGE',
    message: new RegExp(`the limit is ${maxFrames} zstd frames`),
  })
  const members = Buffer.concat(Array.from({ length: 250_000 }, () => emptyMember))
  t.equal((await decoded('gzip', members)).length, 0)
})

test('only codings that can be undone are known', t => {
  for (const name of names) t.ok(isDecodable(name))
  for (const name of ['compress', 'identity', 'GZIP', 'toString', '__proto__', '']) t.notOk(isDecodable(name))
  t.end()
})

/** A body of random members in a random coding, with what it decodes to and where its members end. */
const bodies = fc
  .record({
    name: fc.constantFrom(...names),
    parts: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }),
    skips: fc.infiniteStream(fc.boolean()),
  })
  .map(({ name, parts, skips }) => {
    const count = name === 'deflate' || name === 'br' ? 1 : parts.length
    const members = parts.slice(0, count).flatMap(part => {
      const member = encoders[name](part)
      return name === 'zstd' && skips.next().value === true ? [skippable(part), member] : [member]
    })
    let end = 0
    return {
      name,
      plain: Buffer.concat(parts.slice(0, count)),
      body: Buffer.concat(members),
      ends: members.map(member => (end += member.length)),
    }
  })

test('random members decode to what they were made of', async t => {
  await fc.assert(
    fc.asyncProperty(bodies, async ({ name, plain, body }) => (await decoded(name, body)).equals(plain)),
    { numRuns: 200 },
  )
  t.pass('held for 200 bodies of random members')
})

test('random members that are cut within one of them, or have bytes behind them, are refused', async t => {
  const refused = async (name: Coding, body: Buffer) =>
    ((await failure(decoded(name, body))) as { readonly code?: string }).code === 'UPSTREAM_ENCODING'
  await fc.assert(
    fc.asyncProperty(
      bodies,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      async ({ name, body, ends }, place, rest) => {
        const length = 1 + Math.floor(place * (body.length - 2))
        return (
          (ends.includes(length) || (await refused(name, body.subarray(0, length)))) &&
          (await refused(name, Buffer.concat([body, rest])))
        )
      },
    ),
    { numRuns: 200 },
  )
  t.pass('held for 200 bodies that are cut or have bytes behind them')
})
