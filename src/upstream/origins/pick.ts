/** An origin that may be chosen. */
export interface Candidate {
  /** Returns the weight relative to the other candidates, above 0. */
  share(at: number): number
  /** Returns the cost of another attempt. */
  cost(at: number): number
}

/**
 * The factor by which costs must differ to count if the shares of the two candidates are unequal. If a smaller
 * difference counted, noise would divide the calls of the two equally: of two origins, both are drawn each time.
 */
const tolerance = 3

/**
 * Chooses the cheaper of two candidates that are drawn at random by their shares: the power of two choices
 * (Mitzenmacher, 2001). The candidate that is drawn first wins a tie, so candidates of equal cost are chosen in
 * proportion to their shares.
 *
 * @param isEven - True if all shares are equal.
 */
export function pickOfTwo<C extends Candidate>(
  candidates: readonly C[],
  isEven: boolean,
  at: number,
  random: () => number,
): C | undefined {
  const count = candidates.length
  if (count < 2) return candidates[0]
  if (isEven) {
    const first = Math.floor(random() * count)
    const second = Math.floor(random() * (count - 1))
    return cheaper(candidates[first] as C, candidates[second < first ? second : second + 1] as C, at, 1)
  }
  const one = drawByShare(candidates, undefined, at, random)
  const other = drawByShare(candidates, one, at, random)
  return cheaper(one, other, at, one.share(at) === other.share(at) ? 1 : tolerance)
}

function cheaper<C extends Candidate>(one: C, other: C, at: number, factor: number): C {
  return other.cost(at) * factor < one.cost(at) ? other : one
}

/** Returns a candidate other than `left`, with a probability in proportion to its share. */
function drawByShare<C extends Candidate>(
  candidates: readonly C[],
  left: C | undefined,
  at: number,
  random: () => number,
): C {
  let sum = 0
  for (const candidate of candidates) if (candidate !== left) sum += candidate.share(at)
  let rest = random() * sum
  let drawn = candidates[0] as C
  for (const candidate of candidates) {
    if (candidate === left) continue
    drawn = candidate
    rest -= candidate.share(at)
    if (rest < 0) break
  }
  return drawn
}
