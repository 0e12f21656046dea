import fastify from 'fastify'
import fc from 'fast-check'
import { test } from 'tap'
import { headwaters } from '../../../src/http/plugin.ts'
import { matchSegments, pathSegments } from '../../../src/http/routing/match-path.ts'
import { pathShape, segmentsOf } from '../../../src/http/routing/path-template.ts'
import { compareSpecificity } from '../../../src/http/routing/specificity.ts'
import { echoAggregate } from '../../helpers/echo-aggregate.ts'
import { fillWith, templates, valueLists } from '../../helpers/templates.ts'

const options = {
  caseSensitive: true,
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  useSemicolonDelimiter: false,
}

/** Templates that an aggregate may have, with different shapes. */
const served = fc
  .uniqueArray(
    templates.filter(each => !/\/:[A-Za-z_]/.test(each)),
    { selector: pathShape, minLength: 1, maxLength: 6 },
  )
  .map(each => each.toSorted((one, other) => compareSpecificity(segmentsOf(one), segmentsOf(other))))

test('the app serves the most specific template that matches a URL', async t => {
  let fallbacks = 0
  await fc.assert(
    fc.asyncProperty(
      served,
      fc.nat(),
      fc.array(valueLists, { minLength: 4, maxLength: 4 }),
      async (all, order, lists) => {
        const app = fastify({ routerOptions: { maxParamLength: 1000 } })
        const declared = all.map((url, index) => echoAggregate(`a${index}`, url))
        const rotated = [...declared.slice(order % all.length), ...declared.slice(0, order % all.length)]
        await app.register(headwaters, { aggregates: order % 2 === 0 ? rotated : rotated.toReversed() })
        for (const [index, values] of lists.entries()) {
          const own = index % all.length
          const url = fillWith(all[own] as string, values)
          if (url === undefined) continue
          const path = pathSegments(url, options)
          const found = all.findIndex(each => {
            const segments = segmentsOf(each)
            return segments.length === path.length && matchSegments(segments, path, true) !== undefined
          })
          if (found !== own) fallbacks++
          const { body } = await app.inject(url)
          const wanted = [`a${found}`, ...(matchSegments(segmentsOf(all[found] as string), path, true) ?? [])]
          if (body !== JSON.stringify(wanted))
            throw new Error(`${url} of ${all.join(' ')}: ${body}, not ${wanted.join()}`)
        }
        await app.close()
      },
    ),
    { numRuns: 150 },
  )
  t.comment(`${fallbacks} URLs matched a more specific template than their own`)
})
