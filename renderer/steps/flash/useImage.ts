/** What an image says of itself, asked for once its path is settled. */
import { useEffect, useState } from 'react';
import type { ErrorReply } from '../../../preload/contract/errors.ts';
import type { ImageLook } from '../../../preload/contract/flash.ts';
import { call, replyOf } from '../../api.ts';

const SETTLE_MS = 300;

export interface ImageState {
  /** Of the path that is entered now; null while nothing is known of it. */
  look: ImageLook | null;
  error: ErrorReply | null;
  asking: boolean;
}

const NOTHING: ImageState = { look: null, error: null, asking: false };

export function useImage(path: string): ImageState {
  const [state, setState] = useState(NOTHING);
  const wanted = path.trim();
  useEffect(() => {
    if (wanted === '') {
      setState(NOTHING);
      return undefined;
    }
    let gone = false;
    setState({ ...NOTHING, asking: true });
    const timer = setTimeout(() => {
      call('flash.image', { path: wanted })
        .then((look) => {
          if (!gone) setState({ ...NOTHING, look });
        })
        .catch((error: unknown) => {
          if (!gone) setState({ ...NOTHING, error: replyOf(error) });
        });
    }, SETTLE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return state;
}
