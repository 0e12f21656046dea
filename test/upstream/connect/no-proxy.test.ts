import fc from 'fast-check'
import { test, type Test } from 'tap'
import { readNoProxy } from '../../../src/upstream/connect/no-proxy.ts'

const isNamed = (text: string, to: string) => readNoProxy(text)(new URL(to))

/** Checks lines of what `NO_PROXY` holds, targets that it names, and targets that it does not. */
function check(
  t: Test,
  lines: readonly (readonly [text: string, named: readonly string[], others: readonly string[]])[],
): void {
  for (const [text, named, others] of lines) {
    for (const to of named) t.ok(isNamed(text, to), `'${text}' names ${to}`)
    for (const to of others) t.notOk(isNamed(text, to), `'${text}' does not name ${to}`)
  }
}

test('a name stands for itself and for all names below it', async t => {
  check(t, [
    [
      'cats.example',
      ['https://cats.example', 'https://a.cats.example', 'https://cats.example.', 'https://cats.EXAMPLE:8443'],
      ['https://wildcats.example', 'https://example'],
    ],
    ['CATS.example.', ['https://cats.example'], []],
    ['.cats.example', ['https://a.cats.example', 'https://cats.example'], ['https://wildcats.example']],
    ['*.cats.example', ['https://a.cats.example'], ['https://wildcats.example']],
    ['dogs.example, cats.example', ['https://cats.example', 'https://dogs.example'], ['https://birds.example']],
    [' dogs.example\tcats.example ', ['https://cats.example', 'https://dogs.example'], []],
    ['*', ['https://cats.example', 'http://10.0.0.1', 'http://[::1]'], []],
    ['a_b.example', ['http://a_b.example'], []],
  ])
})

test('a port narrows an entry', async t => {
  check(t, [
    ['cats.example:443', ['https://cats.example'], ['http://cats.example', 'https://cats.example:8443']],
    ['cats.example:80', ['http://cats.example'], ['https://cats.example']],
    ['cats.example:8443', ['https://cats.example:8443'], ['https://cats.example']],
    ['*:80', ['http://cats.example'], ['https://cats.example']],
    ['10.0.0.1:8080', ['http://10.0.0.1:8080'], ['http://10.0.0.1']],
    ['[::1]:8080', ['http://[::1]:8080'], ['http://[::1]']],
    ['10.0.0.0/8:8080', ['http://10.1.2.3:8080'], ['http://10.1.2.3']],
    ['[fd00::]/8:8080', ['http://[fd12::1]:8080'], ['http://[fd12::1]']],
  ])
})

test('an address is the same in every spelling', async t => {
  check(t, [
    [
      '10.0.0.1',
      ['http://10.0.0.1:8080', 'http://0xa.1', 'http://[::ffff:10.0.0.1]'],
      ['http://10.0.0.2', 'http://[::1]'],
    ],
    ['127.1', ['http://127.0.0.1'], []],
    ['::1', ['http://[::1]:8080', 'http://[0:0:0:0:0:0:0:1]'], ['http://[::2]', 'http://0.0.0.1']],
    ['[::1]', ['http://[::1]'], []],
    ['0:0:0:0:0:0:0:1', ['http://[::1]'], []],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', ['http://[2001:db8::1]'], ['http://[2001:db8::2]']],
    ['[2001:db8:0::0:1]:443', ['https://[2001:db8::1]'], ['http://[2001:db8::1]']],
    ['::ffff:10.0.0.1', ['http://10.0.0.1', 'http://[::ffff:a00:1]'], ['http://10.0.0.2']],
    ['0.0.1', [], ['http://10.0.0.1', 'http://a.0.0.1.example']],
  ])
})

test('a network stands for all its addresses, and for no name', async t => {
  check(t, [
    [
      '10.0.0.0/8',
      ['http://10.0.0.1', 'http://10.255.255.255', 'http://[::ffff:10.1.2.3]'],
      ['http://11.0.0.1', 'http://[::1]', 'http://10.example'],
    ],
    ['192.168.1.77/24', ['http://192.168.1.1'], ['http://192.168.2.1']],
    ['10.0.0.1/32', ['http://10.0.0.1'], ['http://10.0.0.2']],
    ['0.0.0.0/0', ['http://1.2.3.4'], ['http://[2001:db8::1]', 'http://cats.example']],
    ['fd00::/8', ['http://[fd12:3456::1]'], ['http://[fe80::1]', 'http://10.0.0.1']],
    ['[fd00::]/8', ['http://[fd12::1]'], ['http://[fe80::1]']],
    ['[fd00::/8]', ['http://[fd12::1]'], ['http://[fe80::1]']],
    ['2001:db8::/33', ['http://[2001:db8:7fff::1]'], ['http://[2001:db8:8000::1]']],
    ['::/0', ['http://[2001:db8::1]', 'http://[::ffff:1.2.3.4]'], ['http://1.2.3.4', 'http://cats.example']],
    ['::ffff:10.0.0.0/104', ['http://10.1.2.3'], ['http://11.0.0.1']],
  ])
})

test('a name in Unicode is the same as its Punycode, on either side', async t => {
  check(t, [
    [
      'bücher.example',
      [
        'https://bücher.example',
        'https://BÜCHER.example',
        'https://xn--bcher-kva.example',
        'https://a.bücher.example:8443',
      ],
      ['https://bucher.example'],
    ],
    ['xn--bcher-kva.example', ['https://bücher.example'], []],
    ['.BÜCHER.example:443', ['https://a.bücher.example'], ['http://a.bücher.example']],
    ['例え。テスト', ['https://例え.テスト', 'https://xn--r8jz45g.xn--zckzah'], []],
  ])
})

test('an entry that is nothing of these names nothing, and spoils no other', async t => {
  const all = ['https://cats.example', 'http://10.0.0.1', 'http://[::1]', 'https://http', 'http://0.0.0.10']
  for (const text of [
    '',
    ',',
    '.',
    '*.',
    ':443',
    'http://cats.example',
    'cats.example/8',
    'cats.example/',
    '10/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::/129',
    '10.0.0.0/-1',
    'fe80::1%eth0',
    'fe80::%eth0/64',
    'us@cats.example',
    '[',
    ']',
    '[]',
    '[::1',
    '%',
  ]) {
    check(t, [
      [text, [], all],
      [`${text},cats.example`, ['https://cats.example'], ['https://dogs.example']],
    ])
  }
})

test('reading a NO_PROXY of any text does not throw', async t => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from('0123456789abf.:/[]*%@, ü')) })),
      text => {
        isNamed(text, 'https://cats.example')
        isNamed(text, 'http://[::1]:8080')
      },
    ),
    { numRuns: 3000 },
  )
  t.pass('held for 3000 texts')
})

test('an address is in the networks that begin as it does, and in no other', async t => {
  const v4 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const dotted = (value: number) => [24, 16, 8, 0].map(shift => (value >>> shift) & 255).join('.')
  fc.assert(
    fc.property(v4, v4, fc.integer({ min: 0, max: 32 }), fc.boolean(), (address, other, bits, isNear) => {
      const net = isNear ? address ^ (other & 255) : other
      const mask = bits === 0 ? 0 : -1 << (32 - bits)
      const right = (address & mask) === (net & mask)
      if (isNamed(`${dotted(net >>> 0)}/${bits}`, `http://${dotted(address)}`) !== right)
        throw new Error(`${dotted(net >>> 0)}/${bits} and ${dotted(address)}`)
    }),
    { numRuns: 1000 },
  )
  t.pass('held for 1000 networks')
})
