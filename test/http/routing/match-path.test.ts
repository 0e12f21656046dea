import { test } from 'tap'
import { comparedSegments, DecodedPath, matchSegments, pathSegments } from '../../../src/http/routing/match-path.ts'
import { segmentsOf } from '../../../src/http/routing/path-template.ts'

const options = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

test('the segments of a request target are those of its path', t => {
  for (const [target, segments] of [
    ['/', ['']],
    ['/a/b', ['a', 'b']],
    ['/a/b/', ['a', 'b', '']],
    ['/a//b', ['a', '', 'b']],
    ['/a?/b', ['a']],
    ['/a#/b?c', ['a']],
    ['/a;b/c', ['a;b', 'c']],
    ['/a%2Fb%3F', ['a%2Fb%3F']],
    ['http://cats.example/a/b?c', ['a', 'b']],
    ['HTTPS://cats.example:80/a,b', ['a,b']],
    ['http://cats.example', ['']],
    ['http://cats.example?a=/b', ['']],
  ] as const)
    t.same(pathSegments(target, options), segments, target)
  t.same(pathSegments('//a///b/', { ...options, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true }), ['a', 'b'])
  t.same(pathSegments('/', { ...options, ignoreTrailingSlash: true }), [''])
  t.same(pathSegments('/a;b/c?d', { ...options, useSemicolonDelimiter: true }), ['a'])
  t.end()
})

test('a path without regard to case gives values in their own case', t => {
  const caseless = { ...options, caseSensitive: false }
  const match = (template: string, url: string) =>
    matchSegments(comparedSegments(segmentsOf(template), caseless), new DecodedPath(pathSegments(url, caseless), false))
  t.same(match('/Jobs/{id}:Cancel', '/JOBS/AbC:CANCEL'), ['AbC'])
  t.same(match('/caf%C3%A9/{a}-', '/CAF%C3%89/X-'), ['X'])
  t.same(match('/x/{a}-{b}', '/X/%C4%B0-Y'), ['\u0130', 'Y'], 'U+0130 is longer in lower case')
  t.equal(match('/x/{a}-', '/y/a-'), undefined)
  t.end()
})

test('the last segments of a path are matched, and a path that is too short is not', t => {
  const match = (template: string, url: string) =>
    matchSegments(segmentsOf(template), new DecodedPath(pathSegments(url, options), true))
  t.same(match('/{a},{b}', '/api/v1/1,2'), ['1', '2'])
  t.equal(match('/x/{a},{b}', '/1,2'), undefined)
  t.equal(match('/x/{a},{b}', '/y/1,2'), undefined)
  t.end()
})

test('a path is decoded once for all templates that it is matched with', t => {
  const time = (count: number, url: string) => {
    const all = Array.from({ length: count }, (_, index) => [
      segmentsOf(`/{tenant},x/{a}:v${index}`),
      segmentsOf(`/{tenant},x/{a}%3Av${index}`),
    ]).flat()
    const times = Array.from({ length: 5 }, () => {
      const start = process.hrtime.bigint()
      const path = new DecodedPath(pathSegments(url, options), true)
      if (all.some(each => matchSegments(each, path) !== undefined)) t.fail('none of them matches')
      return Number(process.hrtime.bigint() - start) / 1e6
    })
    return Math.min(...times)
  }
  for (const [form, part] of [
    ['unreserved', '%41a'],
    ['reserved', '%2Ca'],
  ] as const)
    for (const url of [`/1,x/${part.repeat(4000)}`, `/${part.repeat(4000)},x/a`]) {
      const [one, many] = [time(1, url), time(100, url)]
      t.ok(many < one * 20 + 5, `${form}: ${one} ms for one pair, ${many} ms for a hundred`)
    }
  t.end()
})
