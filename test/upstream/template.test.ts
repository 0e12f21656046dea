import fc from 'fast-check'
import { test } from 'tap'
import { fillTemplate, parseTemplate } from '../../src/upstream/template.ts'

const fill = (path: string, params: Record<string, unknown>) => fillTemplate(parseTemplate(path, 'cats.ask'), params, 'cats.ask')

test('a template is taken apart at its names', t => {
  t.same(parseTemplate('/a/{b}/c/{d_1}', 'x'), { path: '/a/{b}/c/{d_1}', names: ['b', 'd_1'], literals: ['/a/', '/c/', ''] })
  t.same(parseTemplate('/', 'x'), { path: '/', names: [], literals: ['/'] })
  t.same(parseTemplate('/a;v=1/%20/@me', 'x').literals, ['/a;v=1/%20/@me'])
  t.end()
})

test('what cannot be a path is refused, with the reason', t => {
  for (const [path, message] of [
    ['a', /must start with a slash/], ['', /must start with a slash/], ['{a}/b', /must start with a slash/], ['http://evil.example/', /must start with a slash/],
    ['/a?b=1', /declare a query as 'query'/], ['/a#b', /encode them/], ['/a b', /no path/], ['/ä', /no path/], ['/a\\b', /no path/], ['/a{b', /no path/], ['/a}b', /no path/],
    ['/{}', /'\{\}' .*is not a name/], ['/{1a}', /is not a name/], ['/{a-b}', /is not a name/], ['/{a}/{a}', /'\{a\}' stands twice/],
    ['/..', /'\.' or '\.\.' segment/], ['/./a', /segment/], ['/a/../b', /segment/], ['/a/%2e%2E/b', /segment/], ['/a/.%2e', /segment/], ['/a%2f..%2fb', /segment/], ['/a%5c..', /segment/],
  ] as const) t.throws(() => parseTemplate(path, 'cats.ask'), { name: 'TypeError', message }, path)
  t.throws(() => parseTemplate('a', 'cats.ask'), { message: /^cats\.ask: / })
  for (const path of ['/.well-known/x', '/a..b', '/...', '/a.']) t.equal(parseTemplate(path, 'x').path, path)
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

test('a value that is empty or could climb out of its place is refused as the caller\'s input', t => {
  for (const value of ['', '.', '..', '../x', 'x/..', 'x/../y', 'x/.', './x', '..\\x', 'x\\..', '%2e%2e', '%2E.', '.%2e/x', 'x%2f..%2fy', 'x%5c..', '%2e']) {
    t.throws(() => fill('/a/{b}', { b: value }), { name: 'UpstreamError', code: 'CALL_INPUT_INVALID', statusCode: 400, message: /the path parameter 'b'/ }, JSON.stringify(value))
  }
  t.end()
})

test('two values that together would make a segment that climbs are refused', t => {
  for (const [path, params] of [
    ['/files/{x}.{y}', { x: 'a/', y: '/b' }], ['/files/{x}.{y}', { x: 'a\\', y: '/b' }], ['/files/.{x}', { x: '/b' }], ['/files/{x}.', { x: 'b/' }], ['/files/{x}..{y}', { x: 'a/', y: '/b' }],
  ] as const) t.throws(() => fill(path, params), { code: 'CALL_INPUT_INVALID' }, path)
  t.end()
})

test('a date is written in a path as it is in a query', t => {
  t.equal(fill('/{b}', { b: new Date(0) }), '/1970-01-01T00%3A00%3A00.000Z')
  t.end()
})

test('a value that is no text is a mistake of the declaration', t => {
  for (const value of [undefined, null, {}, Number.NaN, Infinity, new Date(Number.NaN), ['a'], Symbol.iterator]) t.throws(() => fill('/{b}', { b: value }), { name: 'TypeError', message: /'b' is neither a string nor a number/ })
  t.end()
})

/** Arbitrary text, and text made of just what is dangerous. */
const nasty = fc.array(fc.constantFrom('.', '..', '/', '\\', '%2e', '%2E', '%2f', '%5c', '%25', '%', '?', '#', ';', 'a', ' ', '\t', '\n', '\0', '\ud800', 'ü'), { maxLength: 6 }).map(parts => parts.join(''))
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), nasty)

test('no value leaves its place: not after a server normalised the path, nor after it decoded it first', t => {
  for (const template of ['/a/{x}', '/a/{x}/b/{y}', '/a/pre-{x}/z', '/files/{x}.{y}', '/{x}']) {
    const [before = ''] = template.split('{')
    const after = template.slice(template.lastIndexOf('}') + 1)
    fc.assert(fc.property(text, text, (x, y) => {
      let path: string
      try {
        path = fill(template, { x, y })
      } catch (error) {
        return (error as { code?: string }).code === 'CALL_INPUT_INVALID'
      }
      const url = new URL(`http://cats.example${path}`)
      return url.origin === 'http://cats.example' && url.search === '' && url.hash === '' && url.pathname === path &&
        path.startsWith(before) && path.endsWith(after) && path.split('/').length === template.split('/').length &&
        !decodeURIComponent(path).split(/[\\/]/).some(segment => segment === '.' || segment === '..')
    }), { numRuns: 500 })
  }
  t.end()
})

test('a value that climbs when it is decoded more than once is refused too', async t => {
  const template = parseTemplate('/files/{name}', 'files')
  for (const name of ['%2e%2e', '%252e%252e', '..%252fadmin', '%25252e%25252e%25252fadmin', '%2E.', 'a%5c..%5cb', '..%zz%2f..', `%${'25'.repeat(20)}41`]) {
    t.throws(() => fillTemplate(template, { name }, 'files'), { code: 'CALL_INPUT_INVALID' }, name)
  }
  for (const name of ['100%', '50%25', 'a%2fb', '%zz', 'dr.who', '...']) t.doesNotThrow(() => fillTemplate(template, { name }, 'files'), name)
})
