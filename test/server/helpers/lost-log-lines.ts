/** Returns the number of lost lines that a service shows, which says that it is ready. */
export async function lostLogLines(origin: string): Promise<number> {
  const response = await fetch(`${origin}/health/ready`)
  const body = (await response.json()) as { readonly status: string; readonly lostLogLines: number }
  if (response.status !== 200 || body.status !== 'ready')
    throw new Error(`not ready: ${response.status} ${JSON.stringify(body)}`)
  return body.lostLogLines
}
