import { aggregate, byLink, chain, refuse } from 'headwaters'
import { z } from 'zod'
import { github } from '../upstreams/github.ts'

/** `null` stands for a part that GitHub did not send. */
const Repository = z.object({
  name: z.string(),
  stars: z.int(),
  lead: z.string().nullable(),
  contributors: z.array(z.string()).nullable(),
  note: z.string().nullable(),
  languages: z.record(z.string(), z.int()).nullable(),
})
const Organization = z.object({ login: z.string(), repositories: z.array(Repository) })

const UnknownOrganization = z
  .object({ code: z.literal('ORGANIZATION_UNKNOWN') })
  .describe('GitHub does not know the organization.')

const lost = { lead: null, contributors: null, note: null }

/**
 * The repositories of an organization, each with its contributors, the name of the most active one, and its languages.
 * The reply is partial if a page, or a part of a repository, is missing.
 */
export const organization = aggregate('organization', {
  url: '/v1/organizations/{org}',
  params: z.object({ org: z.string().max(39) }),
  deadline: 3000,
  problems: { 404: UnknownOrganization },
})
  .required('profile', async ({ params, ask }) => {
    const profile = await ask(github.organization({ org: params.org }))
    return profile ?? refuse(404, `GitHub has no organization '${params.org}'.`, { code: 'ORGANIZATION_UNKNOWN' })
  })
  .pages('pages', ({ params }) => github.repositories({ org: params.org, per_page: 100 }), {
    next: byLink(
      ({ headers }) => headers.link,
      ({ page }, _, { params }) => github.repositories({ org: params.org, per_page: 100, page }),
    ),
    maxPages: 3,
    overflow: 'truncate',
    onLoss: 'keep',
  })
  .required('repositories', ({ pages }) => pages.flatMap(({ body }) => body), { needs: ['pages'] })
  .each(
    'people',
    ({ params, repositories }) =>
      repositories.map(({ name }) =>
        chain(
          github.contributors({ owner: params.org, repo: name, per_page: 5 }),
          ({ status, body }) => {
            const lead = status === 200 ? body[0] : undefined
            return lead === undefined ? null : github.user({ login: lead.login })
          },
          ({ status, body }, user) => ({
            lead: user?.name ?? user?.login ?? null,
            contributors: status === 403 ? null : (body ?? []).map(({ login }) => login),
            note: status === 403 ? body.message : null,
          }),
        ),
      ),
    { needs: ['repositories'], concurrency: 16, maxItems: 300, minSuccess: 0, fallback: lost },
  )
  .each(
    'languages',
    ({ params, repositories }) => repositories.map(({ name }) => github.languages({ owner: params.org, repo: name })),
    { needs: ['repositories'], concurrency: 16, maxItems: 300, minSuccess: 0, fallback: null },
  )
  .reply(Organization, ({ profile, repositories, people, languages }) => ({
    login: profile.login,
    repositories: repositories.map(({ name, stargazers_count }, index) => ({
      name,
      stars: stargazers_count,
      ...(people[index] ?? lost),
      languages: languages[index] ?? null,
    })),
  }))
