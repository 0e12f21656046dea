import fc from 'fast-check'
import { test } from 'tap'
import { contentCodings } from '../../src/core/content-coding.ts'
import { listMembers, trimSpace } from '../../src/core/list-header.ts'
import { isJsonType, mediaTypeFault, readMediaType } from '../../src/core/media-type.ts'

test('a media type has its type and its charset in lower case', t => {
  for (const [header, type, charset] of [
    ['application/json', 'application/json', undefined],
    ['Text/HTML; Charset=UTF-8', 'text/html', 'utf-8'],
    ['text/html;charset=iso-8859-1', 'text/html', 'iso-8859-1'],
    ['text/html ;\tcharset = "ISO-8859-1" ', 'text/html', 'iso-8859-1'],
    ["text/html; charset='utf-8'", 'text/html', 'utf-8'],
    ['text/html; charset=""', 'text/html', undefined],
    ['text/html; charset=', 'text/html', undefined],
    ['text/html; charset', 'text/html', undefined],
    ['text/html; charset=; charset=koi8-r', 'text/html', 'koi8-r'],
    ['text/html; charset=koi8-r; charset=utf-8', 'text/html', 'koi8-r'],
    [String.raw`text/html; a="x; charset=utf-16\""; charset=koi8-r`, 'text/html', 'koi8-r'],
    [String.raw`text/html; charset="u\tf-8"`, 'text/html', 'utf-8'],
    ['text/html; charset="utf-8', 'text/html', 'utf-8'],
    [String.raw`text/html; charset="utf-8${'\\'}`, 'text/html', 'utf-8'],
    [';;charset=x;', '', 'x'],
    ['', '', undefined],
    ['text/html, charset=utf-8', 'text/html', 'utf-8'],
    ['application/json , charset="a/b", x=1', 'application/json', 'a/b'],
    ['application/json, boundary', undefined, undefined],
    ['text/html;a="b,c/d"', 'text/html', undefined],
  ] as const)
    t.strictSame([readMediaType(header)?.type, readMediaType(header)?.charset], [type, charset], header)
  t.end()
})

test('a media type that came more than once is one if its members are equal', t => {
  for (const header of [
    'application/json,application/json',
    'application/json, Application/JSON',
    'application/json;charset=utf-8, application/json ; Charset="UTF-8"',
    'application/json, , application/json',
    ',application/json',
    'application/json;a="x,y/z",application/json; a="x,y/z"',
  ])
    t.equal(readMediaType(header)?.type, 'application/json', header)
  for (const header of [
    'application/json,text/html',
    'application/json, application/json, text/html',
    'text/html;charset=utf-8,text/html',
    'text/html;charset=utf-8,text/html;charset=koi8-r',
    'text/html;a=x,text/html;a=X',
  ])
    t.equal(readMediaType(header), undefined, header)
  t.end()
})

test('JSON is application/json, text/json and what ends with +json', t => {
  for (const type of ['application/json', 'text/json', 'application/problem+json', 'model/gltf+json'])
    t.ok(isJsonType(type), type)
  for (const type of ['application/xml', 'text/plain', 'application/jsonp', 'application/json-seq', 'json', ''])
    t.notOk(isJsonType(type), type)
  t.end()
})

test('codings are listed without empty members and identity', t => {
  for (const [header, codings] of [
    [undefined, undefined],
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['GZIP', 'gzip'],
    ['', undefined],
    [' \t', undefined],
    [',', undefined],
    [', ,\t,', undefined],
    ['gzip, ', 'gzip'],
    [' , ,gzip', 'gzip'],
    ['identity', undefined],
    ['Identity, identity', undefined],
    ['identity, gzip', 'gzip'],
    ['gzip,identity,', 'gzip'],
    [['gzip', ''], 'gzip'],
    [['identity', 'br'], 'br'],
    [['gzip', 'gzip'], 'gzip, gzip'],
    ['gzip, br', 'gzip, br'],
    ['gzip\xa0', 'gzip\xa0'],
    ['gzip;q=1', 'gzip;q=1'],
  ] as const)
    t.equal(contentCodings(header), codings, String(header))
  t.end()
})

test('members of a list lose empty ones and the spaces and tabs around them, and nothing else', t => {
  t.same(listMembers('a, ,\tb\t,,c d,\xa0'), ['a', 'b', 'c d', '\xa0'])
  t.same(listMembers(''), [])
  t.same(listMembers(undefined), [])
  t.same(listMembers(['a, b', 'c\xa0']), ['a', 'b', 'c\xa0'])
  t.equal(trimSpace(' \t a b\t '), 'a b')
  t.equal(trimSpace('\n'), '\n')
  const members = fc.array(fc.stringMatching(/^[a-z]+$/))
  const blanks = fc.constantFrom('', ' ', '\t', ' ,', ',,\t ,')
  fc.assert(
    fc.property(members, blanks, (list, blank) => {
      t.same(listMembers(blank + list.join(`${blank},${blank}`) + blank), list)
    }),
    { numRuns: 100 },
  )
  t.end()
})

test('a media type that is sent has a type, a subtype and perhaps parameters, in printable ASCII', t => {
  const faults = (texts: readonly string[]) => [...new Set(texts.map(mediaTypeFault))]
  const sound = ['text/plain', 'Application/VND.API+JSON', 'a/b;charset=utf-8', 'a/b ; a="b, c"', 'a/x-7z', 'a/b;']
  t.strictSame(faults([...sound, "a!#$%&'*+-.^_`|~Z0/b"]), [undefined])
  t.strictSame(faults(['', '/', 'a', 'a/', '/b', 'a/b/c', 'a b/c', 'a/b c', 'a(/b', '{a/b', 'a/[', ';a/b']), [
    'it has no type and subtype',
  ])
  t.strictSame(faults(['a/b\r\nc: d', 'a/b\0', 'a/\u00e4', 'a/b;c="\u2028"', 'a/b\t', 'a/b\x7f']), [
    'it has a character that is not printable ASCII',
  ])
  t.strictSame(faults(['a/b,', 'a/b, c/d', 'a/b;c=d,e']), ['it has a comma'])
  t.end()
})
