import fc from 'fast-check'
import { test } from 'tap'
import { fillTemplate, parseTemplate } from '../../../src/upstream/spec/template.ts'

const fill = (path: string, params: Record<string, unknown>) =>
  fillTemplate(parseTemplate(path, 'cats.ask'), params, 'cats.ask')

test('a template is taken apart at its names', t => {
  t.same(parseTemplate('/a/{b}/c/{d_1}', 'x'), {
    path: '/a/{b}/c/{d_1}',
    names: ['b', 'd_1'],
    several: [],
    literals: ['/a/', '/c/', ''],
    decoded: ['/a/', '/c/', ''],
    isSegmented: true,
  })
  t.same(parseTemplate('/a/{b+}/{c}', 'x'), {
    path: '/a/{b+}/{c}',
    names: ['b', 'c'],
    several: ['b'],
    literals: ['/a/', '/', ''],
    decoded: ['/a/', '/', ''],
    isSegmented: true,
  })
  t.match(parseTemplate('/', 'x'), { path: '/', names: [], literals: ['/'], decoded: ['/'], isSegmented: true })
  for (const path of ['/{a}.json', '/v{a}/b', '/{a}{b}', '/a/{b}/{c}-x', '/{a+}/{b}.json'])
    t.notOk(parseTemplate(path, 'x').isSegmented, path)
  t.same(parseTemplate('/a;v=1/%20/@me', 'x').literals, ['/a;v=1/%20/@me'])
  t.end()
})

test('an invalid path is refused with the reason', t => {
  for (const [path, message] of [
    ['a', /must start with a slash/],
    ['', /must start with a slash/],
    ['{a}/b', /must start with a slash/],
    ['http://evil.example/', /must start with a slash/],
    ['/a?b=1', /declare a query as 'query'/],
    ['/a#b', /encode them/],
    ['/a b', /characters that are not allowed in a path/],
    ['/ä', /characters that are not allowed in a path/],
    ['/a\\b', /characters that are not allowed in a path/],
    ['/a{b', /characters that are not allowed in a path/],
    ['/a}b', /characters that are not allowed in a path/],
    ['/{}', /'\{\}' .*is not a name/],
    ['/{1a}', /is not a name/],
    ['/{a-b}', /is not a name/],
    ['/{a}/{a}', /'\{a\}' occurs twice/],
    ['/{a}/{a+}', /'\{a\}' occurs twice/],
    ['/{+}', /'\{\+\}' .*is not a name/],
    ['/{a++}', /'\{a\+\+\}' .*is not a name/],
    ['/{+a}', /'\{\+a\}' .*is not a name/],
    ['/..', /'\.' or '\.\.' segment/],
    ['/./a', /segment/],
    ['/a/../b', /segment/],
    ['/a/%2e%2E/b', /segment/],
    ['/a/.%2e', /segment/],
    ['/a%2f..%2fb', /segment/],
    ['/a%5c..', /segment/],
    ['/a/..;v=1', /segment/],
    ['/%252e%252e/a', /segment/],
    ['/a/..%00', /segment/],
    ['/a%00b', /NUL/],
    ['/a%5cb', /backslash/],
    ['/a%252fb', /a slash that is encoded/],
    ['/100%', /write %25/],
    ['/%2', /write %25/],
    ['/%c3{x}', /write %25/],
    ['/%c0%ae', /write %25/],
  ] as const)
    t.throws(() => parseTemplate(path, 'cats.ask'), { name: 'TypeError', message }, path)
  t.throws(() => parseTemplate('a', 'cats.ask'), { message: /^cats\.ask: / })
  for (const path of ['/.well-known/x', '/a..b', '/...', '/a.']) t.equal(parseTemplate(path, 'x').path, path)
  t.end()
})

test('a name for several segments must be a whole segment', t => {
  for (const path of ['/a{path+}', '/{path+}.json', '/{a}{path+}', '/{path+}{a}', '/a/{path+};v=1/b'])
    t.throws(
      () => parseTemplate(path, 'cats.ask'),
      {
        name: 'TypeError',
        message:
          `cats.ask: '{path+}' must be a whole segment of the path '${path}': write a slash before it, and ` +
          'a slash or nothing after it',
      },
      path,
    )
  t.end()
})

test('a value for several segments keeps its slashes, and each segment is encoded', t => {
  for (const [path, params, filled] of [
    ['/files/{path+}', { path: 'a' }, '/files/a'],
    ['/files/{path+}', { path: 'src/a b/\u010d?#%.txt' }, '/files/src/a%20b/%C4%8D%3F%23%25.txt'],
    ['/files/{path+}/versions/{id}', { path: 'a/b', id: 'c/d' }, '/files/a/b/versions/c%2Fd'],
    ['/{path+}', { path: 'a/.../(x)' }, '/a/.../(x)'],
    ['/{path+}/{name}.json', { path: 'a/(b)', name: 'x' }, '/a/%28b%29/x.json'],
    ['/{path+}', { path: 7 }, '/7'],
    ['/{path+}', { path: new Date(0) }, '/1970-01-01T00%3A00%3A00.000Z'],
  ] as const)
    t.equal(fill(path, params), filled, path)
  t.end()
})

test('the refusal of a value for several segments says what is wrong', t => {
  for (const [path, reason] of [
    ['', 'is empty'],
    ['a//b', 'has an empty segment'],
    ['/a', 'has an empty segment'],
    ['a/', 'has an empty segment'],
    ['/', 'has an empty segment'],
    ['a/../b', "contains a '.' or '..' segment"],
    ['a/%2e%2e/b', "contains a '.' or '..' segment"],
    ['a%2fb', 'contains a backslash or a slash that is encoded'],
    ['a/b\0', 'contains a NUL character'],
    [`a/${'b'.repeat(16 * 1024)}`, 'has more than 16384 characters'],
    ['a/'.repeat(8192) + 'a', 'has more than 16384 characters'],
  ] as const)
    t.throws(
      () => fill('/files/{path+}', { path }),
      {
        code: 'CALL_INPUT_INVALID',
        statusCode: 400,
        message: `cats.ask cannot be called with this input: the path parameter 'path' ${reason}`,
      },
      path.slice(0, 10),
    )
  t.throws(() => fill('/{path+}', { path: ['a', 'b'] }), {
    name: 'TypeError',
    message: /'path' must be a string, a number, a boolean or a date/,
  })
  t.end()
})

test('values are encoded into their own places', t => {
  t.equal(fill('/a/{b}/c/{d}', { b: 'x/y', d: 'ü?#&=%' }), '/a/x%2Fy/c/%C3%BC%3F%23%26%3D%25')
  t.equal(fill('/{a}', { a: 7 }), '/7')
  t.equal(fill('/{a}', { a: 7n }), '/7')
  t.equal(fill('/{a}', { a: true }), '/true')
  t.equal(fill('/{a}', { a: '...' }), '/...')
  t.equal(fill('/{a}', { a: 'a\ud800b' }), `/a${encodeURIComponent('\ufffd')}b`)
  t.end()
})

test('a value with literal text beside it is filled in, and none of its characters can be that text', t => {
  for (const [path, params, filled] of [
    ['/weather/{lat},{lon}', { lat: 52.5, lon: -13.4 }, '/weather/52.5,-13.4'],
    ['/weather/{lat},{lon}', { lat: '1,2', lon: 'a b' }, '/weather/1%2C2,a%20b'],
    ['/jobs/{id}:cancel', { id: 7n }, '/jobs/7:cancel'],
    ['/jobs/{id}:cancel', { id: 'a:b' }, '/jobs/a%3Ab:cancel'],
    ['/Products({key})', { key: '1),(2' }, '/Products(1%29%2C%282)'],
    ["/People('{name}')", { name: "O'Neil" }, "/People('O%27Neil')"],
    ['/{id}(x)', { id: '(y)' }, '/%28y%29(x)'],
    ['/{name}suffix', { name: 'suffix' }, '/suffixsuffix'],
    ['/a{b}!*', { b: '!*' }, '/a%21%2A!*'],
    ['/{a};v={b}', { a: 'x;y', b: true }, '/x%3By;v=true'],
    ['/caf%C3%A9/{a}%C3%A9', { a: '\u00e9' }, '/caf%C3%A9/%C3%A9%C3%A9'],
    ['/{a}.{b}', { a: 'x.', b: new Date(0) }, '/x..1970-01-01T00%3A00%3A00.000Z'],
    ['/{a}{b}', { a: '(', b: 'x' }, '/%28x'],
    ['/{a}', { a: "!'()*" }, "/!'()*"],
  ] as const)
    t.equal(fill(path, params), filled, path)
  t.end()
})

test('literal text does not make a value valid that is empty, or a segment of dots', t => {
  for (const [path, params] of [
    ['/weather/{lat},{lon}', { lat: '', lon: '1' }],
    ['/jobs/{id}:cancel', { id: '' }],
    ['/{id}(x)', { id: '' }],
    ['/a/.{x}', { x: '.' }],
    ['/a/.{x}', { x: ';b' }],
    ['/a/{x};{y}', { x: '..', y: 'b' }],
    ['/a/%2E{x}', { x: '/b' }],
    ['/a/{x}.{y}', { x: 'b/', y: '/c' }],
    ['/a/{x},{y}', { x: 'b\\', y: 'c' }],
  ] as const)
    t.throws(() => fill(path, params), { code: 'CALL_INPUT_INVALID', statusCode: 400 }, path)
  t.throws(() => fill('/{a},{b}', { a: '1' }), {
    name: 'TypeError',
    message: /'b' must be a string, a number, a boolean or a date/,
  })
  t.end()
})

test('the refusal of a character that a path cannot hold shows the path encoded', t => {
  for (const [path, encoded] of [
    ['/caf\u00e9/{a}', '/caf%C3%A9/{a}'],
    ['/a b', '/a%20b'],
    ['/\ud83d\udc31\ud800', '/%F0%9F%90%B1%EF%BF%BD'],
  ] as const)
    t.throws(() => parseTemplate(path, 'x'), {
      message:
        `x: the path '${path}' contains characters that are not allowed in a path: encode them (${encoded}), ` +
        "and declare a query as 'query'",
    })
  t.throws(() => parseTemplate('/a?b', 'x'), {
    message: /not allowed in a path: encode them, and declare a query as 'query'$/,
  })
  t.end()
})

test("a value that is empty or could climb out of its place is refused as the caller's input", t => {
  for (const value of [
    '',
    '.',
    '..',
    '../x',
    'x/..',
    'x/../y',
    'x/.',
    './x',
    '..\\x',
    'x\\..',
    '%2e%2e',
    '%2E.',
    '.%2e/x',
    'x%2f..%2fy',
    'x%5c..',
    '%2e',
  ]) {
    t.throws(
      () => fill('/a/{b}', { b: value }),
      { name: 'UpstreamError', code: 'CALL_INPUT_INVALID', statusCode: 400, message: /the path parameter 'b'/ },
      JSON.stringify(value),
    )
  }
  t.end()
})

/** Ways to write a dot segment for one server or another. */
const written = [
  '..;',
  '.;',
  '..;a=b',
  'a/..;/b',
  '%2e%2e%3b',
  '..%3b',
  '..\0',
  '..%00',
  '..\0.html',
  '..%00/x',
  '..?x',
  '..#x',
  '..%3fx',
  '.. ',
  ' ..',
  '. .',
  '.\t.',
  '.\n.',
  '..%20',
  '.%09.',
  '\uff0e\uff0e',
  '.\uff0e',
  '\u2024\u2024',
  '\u2025',
  '\ufe52\ufe52',
  'a/\uff0e./b',
  '%ef%bc%8e%ef%bc%8e',
  '\uff05\uff12e.',
  '%u002e%u002e',
  '%u002e.',
  '%U002E',
  '%uff0e%uff0e',
  '%25u002e.',
  '%c0%ae%c0%ae',
  '%c0%ae.',
  '%e0%80%ae.',
  '%f0%80%80%ae',
  '%f8%80%80%80%ae.',
  '%fc%80%80%80%80%ae',
  '..\\',
  '..\\x',
  '..%5cx',
  'x%255c..',
  '..\uff3cx',
  '..\uff0fx',
  '..%c0%afx',
  '..%u002fx',
  '..%25252fx',
  '.\ud800.',
  '.\ufffd.',
  '.%ff.',
  '.%c1%2e',
  '.\u200b.',
  '.\u00ad.',
  '.\ufeff.',
]

test('a dot segment is refused however it is written', t => {
  for (const value of written) {
    t.throws(
      () => fill('/a/{b}/c', { b: value }),
      {
        code: 'CALL_INPUT_INVALID',
        statusCode: 400,
        message: /the path parameter 'b' contains a '\.' or '\.\.' segment/,
      },
      JSON.stringify(value),
    )
  }
  t.end()
})

test('a value with a NUL, a backslash or an encoded slash is refused', t => {
  for (const value of ['a\0b', 'a%00', 'a%2500', '\0'])
    t.throws(
      () => fill('/{b}', { b: value }),
      { code: 'CALL_INPUT_INVALID', message: /contains a NUL character/ },
      JSON.stringify(value),
    )
  for (const value of [
    'a\\b',
    'a%5cb',
    'a%2fb',
    'a%2Fb',
    'a%252fb',
    'a%u002fb',
    'a\uff0fb',
    'a\uff3cb',
    'a%c0%afb',
    '\u2100',
  ]) {
    t.throws(
      () => fill('/{b}', { b: value }),
      { code: 'CALL_INPUT_INVALID', message: /contains a backslash or a slash that is encoded/ },
      JSON.stringify(value),
    )
  }
  t.throws(() => fill('/{b}', { b: `%${'25'.repeat(20)}41` }), {
    code: 'CALL_INPUT_INVALID',
    message: /percent-encoded too many times/,
  })
  t.end()
})

test('a value has at most 16,384 characters', t => {
  t.equal(fill('/{b}', { b: 'a'.repeat(16_384) }).length, 16_385)
  t.throws(() => fill('/{b}', { b: 'a'.repeat(16_385) }), {
    code: 'CALL_INPUT_INVALID',
    message: /the path parameter 'b' has more than 16384 characters/,
  })
  t.end()
})

test('ordinary values are accepted, and a server gets exactly them', t => {
  for (const value of [
    'a..b',
    '...',
    '....',
    'v1.2',
    '.well-known',
    '..a',
    'a..',
    'a.',
    'a;b',
    ';',
    'a;v=1',
    '..a;b',
    'x/y',
    'AC/DC',
    'https://cats.example/a?b#c',
    '@scope/name',
    '100%',
    '50%25',
    '%zz',
    '%',
    '%u',
    '%u12',
    'What?',
    '#1',
    'a b',
    'M\u00fcller',
    '\u00bd',
    '\u2026',
    '\ud83d\udc31',
    'e\u0301',
    'a:b',
    '~me',
    'a+b',
    '%41',
    '%c3%a9',
    '%ff',
  ])
    t.equal(decodeURIComponent(fill('/{b}', { b: value })).slice(1), value, value)
  t.end()
})

test('two values that together would make a segment that climbs are refused', t => {
  for (const [path, params] of [
    ['/files/{x}.{y}', { x: 'a/', y: '/b' }],
    ['/files/{x}.{y}', { x: 'a\\', y: '/b' }],
    ['/files/.{x}', { x: '/b' }],
    ['/files/{x}.', { x: 'b/' }],
    ['/files/{x}..{y}', { x: 'a/', y: '/b' }],
    ['/files/{x}.', { x: 'a/ ' }],
    ['/files/.{x}', { x: ';a' }],
    ['/files/{x}{y}', { x: '%2', y: 'f' }],
    ['/files/{x}{y}', { x: '%2', y: 'e' }],
    ['/files/%25{x}', { x: '2e' }],
    ['/files/%25{x}b', { x: '2f' }],
    ['/files/%25{x}', { x: '%8e2e' }],
    ['/files/{x}{y}', { x: '.', y: '\uff0e' }],
    ['/files/{x}{y}', { x: 'a%0', y: '0' }],
  ] as const)
    t.throws(() => fill(path, params), { code: 'CALL_INPUT_INVALID' }, path)
  t.end()
})

test('a date is written in a path as it is in a query', t => {
  t.equal(fill('/{b}', { b: new Date(0) }), '/1970-01-01T00%3A00%3A00.000Z')
  t.end()
})

test('a value that has no text is a fault of the declaration', t => {
  for (const value of [undefined, null, {}, Number.NaN, Infinity, new Date(Number.NaN), ['a'], Symbol.iterator])
    t.throws(() => fill('/{b}', { b: value }), {
      name: 'TypeError',
      message: /'b' must be a string, a number, a boolean or a date/,
    })
  t.end()
})

/** Text without a slash: arbitrary, and made of just what is dangerous. */
const parts = [
  '.',
  '..',
  '\\',
  '%2e',
  '%2E',
  '%2f',
  '%5c',
  '%25',
  '%',
  '%u002e',
  '%uff0e',
  '%u002f',
  '%c0',
  '%ae',
  '%af',
  '%e0%80',
  '%ef%bc',
  '%8e',
  '?',
  '#',
  ';',
  ';a',
  'a',
  '2e',
  'u',
  ' ',
  '\t',
  '\n',
  '\0',
  '%00',
  '\ud800',
  '\ufffd',
  '\u00fc',
  '\uff0e',
  '\u2024',
  '\u2025',
  '\ufe52',
  '\uff0f',
  '\uff3c',
  '\uff05',
  '\u2100',
  '\u037e',
  '\u0301',
  '\u200b',
]
const nasty = fc.array(fc.constantFrom(...parts), { maxLength: 6 }).map(each => each.join(''))
const nastyOrSlash = fc.array(fc.constantFrom(...parts, '/', '/'), { maxLength: 6 }).map(each => each.join(''))
const flat = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), nasty).map(each => each.replaceAll('/', ''))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), nastyOrSlash)

/** Steps by which servers normalise a path, in any order and more than once. */
const steps: readonly ((path: string) => string)[] = [
  path => path.replaceAll(/(?:%[0-9a-f]{2})+/gi, run => Buffer.from(run.replaceAll('%', ''), 'hex').toString()),
  path => path.replaceAll(/%[0-7][0-9a-f]/gi, decodeURIComponent),
  path => path.replaceAll(/%u([0-9a-f]{4})/gi, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16))),
  path =>
    path
      .replaceAll(/%c0%ae|%e0%80%ae/gi, '.')
      .replaceAll(/%c0%af|%e0%80%af/gi, '/')
      .replaceAll(/%c1%9c/gi, '/'),
  path => path.normalize('NFKC'),
  path => path.replaceAll(/;[^/]*/g, ''),
  path => path.replaceAll('\\', '/'),
  path => path.replaceAll(/[\t\r\n]/g, ''),
  path => path.replaceAll(/\p{Cs}|\ufffd/gu, ''),
]
const server = fc
  .array(fc.constantFrom(...steps), { maxLength: 7 })
  .map(all => (path: string) => all.reduce((last, step) => step(last), path))

/** The path, or nothing where the values are refused as the caller's input. */
function tryFill(template: string, values: Record<string, string>): string | undefined {
  try {
    return fill(template, values)
  } catch (error) {
    if ((error as { code?: string }).code === 'CALL_INPUT_INVALID') return undefined
    throw error
  }
}

const isDots = (segment: string) => segment === '.' || segment === '..'
const templates = ['/a/{x}', '/a/{x}/b/{y}', '/a/pre-{x}/z', '/files/{x}.{y}', '/{x}', '/{x}{y}', '/a/%25{x}']

test('no value leaves its place: not after a server normalised the path, nor after it decoded it first', t => {
  for (const template of templates) {
    const [before = ''] = template.split('{')
    const after = template.slice(template.lastIndexOf('}') + 1)
    fc.assert(
      fc.property(text, text, (x, y) => {
        const path = tryFill(template, { x, y })
        if (path === undefined) return true
        const url = new URL(`http://cats.example${path}`)
        return (
          url.origin === 'http://cats.example' &&
          url.search === '' &&
          url.hash === '' &&
          url.pathname === path &&
          path.startsWith(before) &&
          path.endsWith(after) &&
          path.split('/').length === template.split('/').length &&
          !decodeURIComponent(path).split(/[\\/]/).some(isDots)
        )
      }),
      { numRuns: 500 },
    )
  }
  t.end()
})

test('no normalisation by a server makes a dot segment or another number of segments of a value without a slash', t => {
  for (const template of templates) {
    let accepted = 0
    fc.assert(
      fc.property(flat, flat, server, (x, y, normalise) => {
        const path = tryFill(template, { x, y })
        if (path === undefined) return true
        accepted++
        const segments = normalise(path).split('/')
        return segments.length === template.split('/').length && !segments.some(isDots)
      }),
      { numRuns: 2000 },
    )
    t.ok(accepted > 500, `${template}: ${accepted} were accepted`)
  }
  t.end()
})

test('the slashes of a value are the only ones that a server can find in it', t => {
  for (const template of templates) {
    fc.assert(
      fc.property(text, text, server, (x, y, normalise) => {
        const path = tryFill(template, { x, y })
        if (path === undefined) return true
        const segments = normalise(path).split('/')
        const own = (x + (template.includes('{y}') ? y : '')).split('/').length - 1
        return segments.length <= template.split('/').length + own && !segments.some(isDots)
      }),
      { numRuns: 1000 },
    )
  }
  t.end()
})

test('a value that climbs when it is decoded more than once is refused too', async t => {
  const template = parseTemplate('/files/{name}', 'files')
  for (const name of [
    '%2e%2e',
    '%252e%252e',
    '..%252fadmin',
    '%25252e%25252e%25252fadmin',
    '%2E.',
    'a%5c..%5cb',
    '..%zz%2f..',
    `%${'25'.repeat(20)}41`,
  ]) {
    t.throws(() => fillTemplate(template, { name }, 'files'), { code: 'CALL_INPUT_INVALID' }, name)
  }
  for (const name of ['100%', '50%25', '%zz', 'dr.who', '...'])
    t.doesNotThrow(() => fillTemplate(template, { name }, 'files'), name)
})
