/**
 * Kayenta's judge, written anew from the description of its Mann-Whitney classifier, to stand beside ours on the same
 * requests. Its data are time series, one point for each interval. A metric fails ("High") where the lower end of the
 * location shift's interval (two-sided, confidence 0.98, tie and continuity corrections) lies above 0.25 times the
 * Hodges-Lehmann estimate of the shift, and the ratio of the means is at least 1.
 */

/** The normal point of one end of a two-sided interval with confidence 0.98: Kayenta as shipped fails above it. */
export const AS_SHIPPED = 2.3263;
/** The tolerance, relative to the estimated shift. */
const TOLERANCE = 0.25;

/**
 * How sure Kayenta is that the experiment is above the control, as a normal point: it fails the metric at every confidence
 * whose point is below. -Infinity where it would pass at any. The interval's lower end lies above the bound exactly where
 * the rank statistic, taken with the candidate shifted back by the bound, exceeds the confidence's point: no root needs to
 * be searched. Where the estimate is 0 and ties abound, that favours Kayenta, whose root search then ends beside 0.
 */
export function kayentaScore(experiment: readonly number[], control: readonly number[]): number {
  if (experiment.length === 0 || control.length === 0) return -Infinity;
  if (new Set([...experiment, ...control]).size === 1) return -Infinity;
  const meanOf = (series: readonly number[]) => series.reduce((sum, each) => sum + each, 0) / series.length;
  const control0 = meanOf(control);
  const experiment0 = meanOf(experiment);
  // A ratio that cannot be computed skips the test of the effect.
  if (control0 !== 0 && experiment0 !== 0 && experiment0 / control0 < 1) return -Infinity;
  const bound = TOLERANCE * Math.abs(shiftEstimate(experiment, control));
  return rankPoint(
    experiment.map((value) => value - bound),
    control,
  );
}

/** The Hodges-Lehmann estimate: the median of all differences. */
function shiftEstimate(experiment: readonly number[], control: readonly number[]): number {
  const differences = new Float64Array(experiment.length * control.length);
  let place = 0;
  for (const ours of experiment) for (const theirs of control) differences[place++] = ours - theirs;
  const lower = select(differences, Math.floor((place - 1) / 2));
  const upper = select(differences, Math.ceil((place - 1) / 2));
  return (lower + upper) / 2;
}

/** The number at a place of the sorted order (Hoare's selection: it sorts only as much as is needed). */
function select(numbers: Float64Array, place: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const pivot = numbers[(low + high) >> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((numbers[left] ?? 0) < pivot) left++;
      while ((numbers[right] ?? 0) > pivot) right--;
      if (left > right) break;
      const kept = numbers[left] ?? 0;
      numbers[left++] = numbers[right] ?? 0;
      numbers[right--] = kept;
    }
    if (place <= right) high = right;
    else if (place >= left) low = left;
    else break;
  }
  return numbers[place] ?? Number.NaN;
}

/** Wilcoxon's statistic as a normal point, with the corrections for ties and continuity. */
function rankPoint(experiment: readonly number[], control: readonly number[]): number {
  const all = [
    ...experiment.map((value) => ({ value, isOurs: true })),
    ...control.map((value) => ({ value, isOurs: false })),
  ].toSorted((a, b) => a.value - b.value);
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    let ours = 0;
    while (to < all.length && all[to]?.value === all[from]?.value) ours += all[to++]?.isOurs === true ? 1 : 0;
    rankSum += ours * ((from + to + 1) / 2);
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const m = experiment.length;
  const n = control.length;
  const excess = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const deviation = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))));
  return deviation === 0 ? -Infinity : (excess - 0.5) / deviation;
}
