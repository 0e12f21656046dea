import { defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const Organization = z.object({ org: z.string() })
const Repository = z.object({ owner: z.string(), repo: z.string() })

export const github = defineUpstream(
  'github',
  { origin: 'https://api.github.com', attemptTimeout: 800 },
  {
    organization: operation({
      path: '/orgs/{org}',
      params: Organization,
      output: z.object({ login: z.string(), public_repos: z.int() }),
      nullOn: [404],
    }),
    repositories: operation({
      path: '/orgs/{org}/repos',
      params: Organization,
      query: z.object({ per_page: z.int(), page: z.string().optional() }),
      output: z.array(z.object({ name: z.string(), stargazers_count: z.int() })),
      responseHeaders: z.object({ link: z.string().optional() }),
      nullOn: [404],
    }),
    // 204: the repository is empty. 403: it has too many contributors, and the body says so.
    contributors: operation({
      path: '/repos/{owner}/{repo}/contributors',
      params: Repository,
      query: z.object({ per_page: z.int() }),
      responses: {
        200: z.array(z.object({ login: z.string() })),
        204: z.null(),
        403: z.object({ message: z.string() }),
      },
    }),
    languages: operation({
      path: '/repos/{owner}/{repo}/languages',
      params: Repository,
      output: z.record(z.string(), z.int()),
    }),
    // One person often leads several repositories.
    user: operation({
      path: '/users/{login}',
      params: z.object({ login: z.string() }),
      output: z.object({ login: z.string(), name: z.string().nullable() }),
      coalesce: true,
      cache: { ttl: 60_000 },
    }),
  },
)
