import { test } from 'tap'
import { linkTarget } from '../../src/core/link-header.ts'

const next = (header: string | readonly string[]) => linkTarget(header, 'next')

test('the examples of RFC 8288 are read', t => {
  const chapters = '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"'
  t.equal(linkTarget(chapters, 'previous'), 'http://example.com/TheBook/chapter2')
  t.equal(linkTarget('</>; rel="http://example.net/foo"', 'http://example.net/foo'), '/')
  t.equal(linkTarget('</terms>; rel="copyright"; anchor="#foo"', 'copyright'), undefined)
  const german = '</TheBook/chapter2>; rel="previous"; title*=UTF-8\'de\'letztes%20Kapitel, '
  const both = `${german}</TheBook/chapter4>; rel="next"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel`
  t.same([linkTarget(both, 'previous'), next(both)], ['/TheBook/chapter2', '/TheBook/chapter4'])
  const types = '<http://example.org/>; rel="start http://example.net/relation/other"'
  t.equal(linkTarget(types, 'start'), 'http://example.org/')
  t.equal(linkTarget(types, 'http://example.net/relation/other'), 'http://example.org/')
  t.end()
})

test('the link of GitHub to its next page is read', t => {
  const header =
    '<https://api.github.com/repositories/1/tags?page=2>; rel="next", ' +
    '<https://api.github.com/repositories/1/tags?page=9>; rel="last"'
  t.equal(next(header), 'https://api.github.com/repositories/1/tags?page=2')
  t.equal(linkTarget(header, 'last'), 'https://api.github.com/repositories/1/tags?page=9')
  t.equal(linkTarget(header, 'prev'), undefined)
  t.end()
})

test('a relation type is found by any spelling that RFC 8288 allows', t => {
  for (const header of [
    '</2>;rel=next',
    '</2>; rel=next',
    '</2> ; rel = "next"',
    '</2>\t;\tREL=NEXT',
    '</2>; rel="prev next"',
    '</2>; rel="ne\\xt"',
    '</2>; title="a, b; rel=prev"; rel=next',
    '</2>; title="a \\"b\\" , c"; rel=next',
    '</2>; hidden; rel=next',
    ' , ,</1>; rel=prev,, </2>; rel=next ,',
    '</2>; rel=next; rel=prev',
    '</2>; rel="next',
  ])
    t.equal(next(header), '/2', header)
  t.equal(next('</a,b;c?d=<e>; rel=next'), '/a,b;c?d=<e')
  t.end()
})

test('a link without the relation type is not found', t => {
  for (const header of [
    '',
    '</2>',
    '</2>; rel',
    '</2>; rel=""',
    '</2>; rel=nextpage',
    '</2>; rel=prev; rel=next',
    '</2>; rev=next',
    '</2>; title="rel=next"',
    '</2>; rel=next; anchor="/other"',
    '</2; rel=next',
    '/2; rel=next',
    'x, </2>; rel=next',
    '</1>; rel=prev x </2>; rel=next',
    '</2>; rel="prev\\',
  ])
    t.equal(next(header), undefined, header)
  t.end()
})

test('the first link with the relation type counts, over all lines of the header', t => {
  t.equal(next('</2>; rel=next, </3>; rel=next'), '/2')
  t.equal(next(['</1>; rel=prev', '</2>; rel=next', '</3>; rel=next']), '/2')
  t.equal(next(['</1>; rel="prev', '</2>; rel=next']), '/2', 'a quoted string ends with its line')
  t.equal(next([]), undefined)
  t.end()
})
