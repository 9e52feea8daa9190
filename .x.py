from loadtests.traffic.shapes import SHAPES
from loadtests.traffic.arrivals import drawn_arrivals
from collections import Counter
import time
for s in SHAPES.values():
    b=time.time(); a=drawn_arrivals(s); t=time.time()-b
    seen=set((p,r) for p in range(s.people) for r in range(s.warm_ranks)); hits=n=0; by=Counter(); hb=Counter()
    for x in a:
        if x.kind in ("question","stream"):
            k=(x.person,x.rank); by[x.stage]+=1; hb[x.stage]+= k in seen; seen.add(k)
    j=[st.name for st in s.stages if st.judged]
    print(s.name,s.seconds,len(a),f"{t:.2f}s",Counter(x.kind.value for x in a), {k:round(hb[k]/by[k],2) for k in by}, 'judged', round(sum(hb[k] for k in j)/sum(by[k] for k in j),3))
